package file

import (
	"cmp"
	"slices"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Update is what changed since the update before.
type Update struct {
	Changed []*manifest.Object // new or with another content, in the order of files
	// Moved are those that stand elsewhere than before, and mean the same.
	Moved   []*manifest.Object
	Removed []ir.Ref // sorted
	// Problems are all that there are now, sorted by place.
	Problems []manifest.Problem
	// Files are those that were read for this update; Objects counts all objects that are in force.
	Files   []string
	Objects int
	// At is when the first event of this update was noticed.
	At time.Time
}

// update settles who defines what, and returns what changed.
func (f *folder) update(at time.Time) Update {
	u := Update{At: at, Files: slices.Compact(slices.Sorted(slices.Values(f.read)))}
	f.read = nil
	for ref := range f.dirty {
		claims := f.claims[ref]
		slices.SortStableFunc(claims, precedence)
		was := f.inForce[ref]
		delete(f.contested, ref)
		if len(claims) > 1 {
			f.contested[ref] = true
		}
		if len(claims) == 0 {
			delete(f.claims, ref)
			delete(f.inForce, ref)
			if was != nil {
				u.Removed = append(u.Removed, ref)
			}
			continue
		}
		is := claims[0].object
		f.inForce[ref] = is
		switch {
		case was == nil || was.Value != is.Value:
			u.Changed = append(u.Changed, is)
		case was.Start != is.Start:
			u.Moved = append(u.Moved, is)
		}
	}
	clear(f.dirty)
	u.sort()
	u.Problems, u.Objects = f.problems(), len(f.inForce)
	return u
}

func (u *Update) sort() {
	slices.SortFunc(u.Changed, earlier)
	slices.SortFunc(u.Moved, earlier)
	slices.SortFunc(u.Removed, ir.Ref.Compare)
}

// precedence orders claims on one object: the kept version of a broken file counts only when no file defines the object
// now. Otherwise the first counts.
func precedence(a, b claim) int {
	if a.kept != b.kept {
		if a.kept {
			return 1
		}
		return -1
	}
	return earlier(a.object, b.object)
}

// earlier orders objects by file name and place.
func earlier(a, b *manifest.Object) int {
	return cmp.Or(cmp.Compare(a.Start.File, b.Start.File), cmp.Compare(a.Start.Line, b.Start.Line))
}

// join makes one update of two that follow each other.
func join(a, b Update) Update {
	settled := map[ir.Ref]bool{}
	for _, o := range b.Changed {
		settled[o.Ref] = true
	}
	for _, ref := range b.Removed {
		settled[ref] = true
	}
	moved := map[ir.Ref]*manifest.Object{}
	for _, o := range b.Moved {
		moved[o.Ref] = o
	}
	for _, o := range a.Changed {
		if settled[o.Ref] {
			continue
		}
		if to := moved[o.Ref]; to != nil {
			o = to
			delete(moved, o.Ref)
		}
		b.Changed = append(b.Changed, o)
	}
	b.Moved = slices.DeleteFunc(b.Moved, func(o *manifest.Object) bool { return moved[o.Ref] == nil })
	for _, o := range a.Moved {
		if !settled[o.Ref] && moved[o.Ref] == nil {
			b.Moved = append(b.Moved, o)
		}
	}
	for _, ref := range a.Removed {
		if !settled[ref] {
			b.Removed = append(b.Removed, ref)
		}
	}
	b.sort()
	b.Files = slices.Compact(slices.Sorted(slices.Values(slices.Concat(a.Files, b.Files))))
	b.At = a.At
	return b
}

func (f *folder) problems() []manifest.Problem {
	var all []manifest.Problem
	for path, why := range f.gone {
		all = append(all, manifest.Problem{Finding: finding.New(finding.FolderGone, ir.Ref{}, "", why), At: manifest.Position{File: path}})
	}
	for path := range f.troubled {
		all = append(all, f.files[path].problems...)
	}
	for ref := range f.contested {
		for _, c := range f.claims[ref][1:] {
			if !c.kept {
				all = append(all, manifest.Problem{
					Finding: finding.New(finding.ObjectDuplicate, ref, "", ref, f.inForce[ref].Start), At: c.object.Start,
				})
			}
		}
	}
	slices.SortFunc(all, func(a, b manifest.Problem) int {
		return cmp.Or(cmp.Compare(a.At.File, b.At.File), cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column),
			finding.Compare(a.Finding, b.Finding))
	})
	return all
}
