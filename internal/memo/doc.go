// Package memo evaluates pure queries over input cells, remembers what each query read, and computes again only
// what a changed cell reaches.
package memo
