package file

import (
	"io/fs"
	"syscall"
	"time"
)

// stamp tells whether a file may have changed.
type stamp struct {
	size     int64
	modified time.Time
	inode    uint64
}

// coarsest is the unit of the coarsest clock that a file system has (FAT). Two versions that were written within one
// unit can have the same stamp.
const coarsest = 2 * time.Second

func stampOf(info fs.FileInfo) stamp {
	s := stamp{size: info.Size(), modified: info.ModTime()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode = sys.Ino
	}
	return s
}
