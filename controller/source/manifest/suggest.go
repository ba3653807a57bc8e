package manifest

import (
	"strconv"
	"strings"
)

// farthest is how many letters may differ between what was written and what was probably meant.
const farthest = 2

// suggest finds a name that is close to one that does not exist.
func suggest(name string, names []string) string {
	best, least := "", farthest+1
	for _, n := range names {
		if d := distance(strings.ToLower(n), strings.ToLower(name)); d < least {
			best, least = n, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + strconv.Quote(best) + "?"
}

// distance is the number of letters to insert, remove or change between two words (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// cut takes a path apart: the names of the fields that lead to its end, without indexes, and the name at its end. A name
// may be anything, the empty one included.
func cut(path string) (parents []string, last string) {
	all := steps(path)
	if len(all) == 0 {
		return nil, ""
	}
	for _, step := range all[:len(all)-1] {
		if _, err := strconv.Atoi(step); err != nil {
			parents = append(parents, step)
		}
	}
	return parents, all[len(all)-1]
}
