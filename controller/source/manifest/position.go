package manifest

import (
	"strconv"
	"strings"
	"weak"

	yamlnode "go.yaml.in/yaml/v3"
)

// tree returns the document's nodes, nil when it has none. They take many times the room of the text and are wanted in
// bursts, so they are kept only as long as the garbage collector leaves them.
func (d *document) tree() *yamlnode.Node {
	d.mu.Lock()
	defer d.mu.Unlock()
	if root := d.nodes.Value(); root != nil {
		return root
	}
	root, err := parseNodes(d.text)
	if err != nil {
		return nil
	}
	d.nodes = weak.Make(root)
	return root
}

// find returns the place of a path in a document, relative to it: line and column from 1.
func (d *document) find(path string) (line, column int) {
	node := d.tree()
	if node == nil {
		return firstLine(d.text), 1
	}
	line, column = node.Line, node.Column
	for _, step := range steps(path) {
		for node.Kind == yamlnode.AliasNode {
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
func child(node *yamlnode.Node, step string) (at, value *yamlnode.Node) {
	switch node.Kind { //nolint:exhaustive // scalars have no children
	case yamlnode.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == step {
				return node.Content[i], node.Content[i+1]
			}
		}
		return merged(node, step)
	case yamlnode.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(node.Content) {
			return node.Content[i], node.Content[i]
		}
	}
	return nil, nil
}

// merged finds a key in what a mapping takes over with "<<" (https://yaml.org/type/merge.html).
func merged(node *yamlnode.Node, step string) (at, value *yamlnode.Node) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Tag != "!!merge" {
			continue
		}
		sources := []*yamlnode.Node{node.Content[i+1]}
		if sources[0].Kind == yamlnode.SequenceNode {
			sources = sources[0].Content
		}
		for _, source := range sources {
			if source.Kind == yamlnode.AliasNode {
				source = source.Alias
			}
			if at, value = child(source, step); source.Kind == yamlnode.MappingNode && value != nil {
				return at, value
			}
		}
	}
	return nil, nil
}
