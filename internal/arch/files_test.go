package arch

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// checkReplace: what is built here must be what `go install` builds elsewhere, which ignores replace directives.
func checkReplace(tr *tree) []string {
	var out []string
	for i, line := range strings.Split(string(tr.files["go.mod"]), "\n") {
		if words := strings.Fields(line); len(words) > 0 && (words[0] == "replace" || words[0] == "replace(") {
			out = append(out, fmt.Sprintf("go.mod:%d: a replace directive holds only here: nobody who depends on the module sees it", i+1))
		}
	}
	return out
}

var (
	linkPattern    = regexp.MustCompile(`\]\(([^)\s]+)(?:\s"[^"]*")?\)`)
	headingPattern = regexp.MustCompile(`(?m)^#{1,6} +(.+?)\s*$`)
	codePattern    = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
)

// checkLinks follows the relative links of every page, anchors included.
func checkLinks(tr *tree) []string {
	var out []string
	for _, page := range slices.Sorted(maps.Keys(tr.files)) {
		if path.Ext(page) != ".md" || strings.Contains("/"+page, "/testdata/") {
			continue
		}
		text := codePattern.ReplaceAllString(string(tr.files[page]), "")
		for _, m := range linkPattern.FindAllStringSubmatch(text, -1) {
			if problem := tr.follow(page, m[1]); problem != "" {
				out = append(out, fmt.Sprintf("%s: %s: %s", page, m[1], problem))
			}
		}
	}
	return out
}

func (tr *tree) follow(page, link string) (problem string) {
	if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
		return ""
	}
	name, anchor, _ := strings.Cut(link, "#")
	target := page
	if name != "" {
		target = path.Join(path.Dir(page), name)
	}
	text, isFile := tr.files[target]
	switch {
	case !isFile && tr.hasFolder(target):
		return ""
	case !isFile:
		return "there is no such file"
	case anchor != "" && path.Ext(target) == ".md" && !slices.Contains(anchors(string(text)), anchor):
		return "the page has no such heading"
	default:
		return ""
	}
}

func (tr *tree) hasFolder(name string) bool {
	for file := range tr.files {
		if strings.HasPrefix(file, strings.TrimSuffix(name, "/")+"/") {
			return true
		}
	}
	return false
}

// anchors are the headings of a page as links name them: lower case, spaces as dashes, other signs left out.
func anchors(text string) []string {
	var out []string
	for _, m := range headingPattern.FindAllStringSubmatch(text, -1) {
		out = append(out, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || wordRune(r) && r != '.' || r > 127:
				return r
			default:
				return -1
			}
		}, strings.ToLower(m[1])))
	}
	return out
}
