package rollout

import "slices"

// search looks for the culprits in a refused message. It is cut in two. When the first half is taken, the second one holds
// a culprit, and is cut at once; when it is refused, nothing is known of the second one, which waits. Envoy builds its
// whole table for every message, so what waits goes in one when a culprit was found, unless there turned out to be more.
type search struct {
	parts []part
	whole bool // what was sent last is everything that waited
	many  bool // and was refused: there are several culprits, what waits goes part by part
}

// part are names that were refused together with others.
type part struct {
	names []string
	// rest says that this holds a culprit if the part before it is taken. Only the second part may be one.
	rest bool
	// alone says that this is a culprit, by all that is known.
	alone bool
}

func (s *search) going() bool { return len(s.parts) > 0 }

// next takes out the names to be tried now.
func (s *search) next() []string {
	first := s.parts[0]
	names := first.names
	s.parts = s.parts[1:]
	half := s.going() && s.parts[0].rest
	if s.whole = s.going() && !half && !first.alone && !s.many; s.whole {
		names = slices.Clone(names)
		for _, p := range s.parts {
			names = append(names, p.names...)
		}
		s.parts = nil
	}
	return names
}

// taken says that what was tried last was taken.
func (s *search) taken() {
	if s.going() && s.parts[0].rest {
		names := s.parts[0].names
		s.parts = s.parts[1:]
		s.cut(names)
	}
}

// refused says that these were refused.
func (s *search) refused(names []string) {
	if s.going() {
		s.parts[0].rest = false
	}
	s.many = s.many || s.whole
	s.whole = false
	if len(names) > 1 {
		s.cut(names)
	}
}

// cut puts the halves of names first. A culprit that stands alone is sent all the same: it may have been refused only on
// account of what it came with.
func (s *search) cut(names []string) {
	if len(names) < 2 {
		s.parts = append([]part{{names: names, alone: true}}, s.parts...)
		return
	}
	half := len(names) / 2
	s.parts = append([]part{{names: names[:half:half]}, {names: names[half:], rest: true}}, s.parts...)
}

// forget takes out names.
func (s *search) forget(gone func(string) bool) {
	for i := range s.parts {
		s.parts[i].names = slices.DeleteFunc(s.parts[i].names, gone)
	}
}
