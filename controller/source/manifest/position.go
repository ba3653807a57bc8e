package manifest

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// find returns the place of a path in a document, relative to it: line and column from 1.
func (d *document) find(path string) (line, column int) {
	var root yaml.Node
	if yaml.Unmarshal([]byte(d.text), &root) != nil || len(root.Content) == 0 {
		return 1, 1
	}
	node := root.Content[0]
	line, column = node.Line, node.Column
	for _, step := range steps(path) {
		for node.Kind == yaml.AliasNode {
			node = node.Alias
		}
		key, value := child(node, step)
		if value == nil {
			break
		}
		node = value
		line, column = key.Line, key.Column
	}
	return line, column
}

// steps cuts a path at its dots and brackets: "a.b[1]", "a['x.y/z']" and "a[x.y/z]" are understood.
func steps(path string) []string {
	var out []string
	for path != "" {
		switch path[0] {
		case '.':
			path = path[1:]
		case '[':
			end := strings.IndexByte(path, ']')
			if end < 0 {
				return append(out, path[1:])
			}
			out = append(out, strings.Trim(path[1:end], `'"`))
			path = path[end+1:]
		default:
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				return append(out, path)
			}
			out = append(out, path[:end])
			path = path[end:]
		}
	}
	return out
}

// child finds a step below a node: where to point at, and where to go on.
func child(node *yaml.Node, step string) (at, value *yaml.Node) {
	switch node.Kind { //nolint:exhaustive // scalars have no children
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == step {
				return node.Content[i], node.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(node.Content) {
			return node.Content[i], node.Content[i]
		}
	}
	return nil, nil
}
