// Package arch holds the rules of the repository as tests: who may import whom, what pure packages may touch, how long
// functions may be, what every finding needs, that links lead somewhere. Nothing of it is part of the program.
//
// Rules read the source as text and syntax, without types, so they take well under a second and need no build. Where a
// rule has to guess, its comment says how. Each rule is proved to fail on a planted violation (testdata).
//
// It decides nothing: a rule that is in the way is changed together with the decision that it stands for
// (docs/ARCHITECTURE.md, docs/decisions).
package arch
