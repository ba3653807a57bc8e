// Package memo evaluates pure queries over input cells, remembers what each query read, and computes again only what
// a changed cell reaches. It knows nothing of what is computed.
//
// # The idea
//
// An [Input] is a family of cells, written from outside. A [Query] is a pure function of a key that may look at the
// world only through its [Ctx]: [Input.Read] and [Query.Get]. A [Table] remembers for every (query, key) the value and
// the reads that led to it. So no cache key and no "does this trigger a rebuild" is ever written by hand: the recorded
// reads are the key, absence included. A full rebuild is the same code with an empty table.
//
// Setting a cell to another value marks, along the recorded reads, every result that it reaches; a result that is marked
// already is not entered again. Nothing is computed until someone asks. Then the marked reads of a result, and only
// those, are brought up to date in the order in which they were made (a later read may exist only on account of an
// earlier value); when one of them changed the function runs again, and when the new value equals the old one, what is
// above does not notice ("backdating").
//
// # Rules for query authors
//
//   - Read the world through the Ctx alone: no clock, no randomness, no package-level variables, no map order.
//   - Values are shared and immutable: change neither what was read nor what was returned.
//   - Equality is generic and sees every field.
//   - An aggregate lists names, never contents: then a change of a member ends at the member.
//
// # Cost
//
// A change costs what it reaches: the marks, the marked reads, and the queries that run again. Neither the size of the
// table nor the number of kept results nor the number of unmarked reads of a visited result enters. A result costs about
// 200 bytes apart from its value, and 40 for each read.
//
// A table is used by one goroutine at a time. Descriptions of inputs and queries are immutable and shared by all tables.
package memo
