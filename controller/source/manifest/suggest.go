package manifest

import (
	"slices"
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

func lastStep(path string) string {
	all := steps(path)
	return all[len(all)-1]
}

// fieldNames returns the names of the fields that a path leads through, without indexes, and without its end.
func fieldNames(path string) []string {
	all := steps(path)
	return slices.DeleteFunc(all[:len(all)-1], func(step string) bool {
		_, err := strconv.Atoi(step)
		return err == nil
	})
}
