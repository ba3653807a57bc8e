package main

import (
	"os"
	"path/filepath"
	"syscall"
)

// scratch is a folder for the time of one run. Whoever lives holds a lock in it, so that the next run can tell what a
// killed one left behind.
type scratch struct {
	dir  string
	lock *os.File
}

const (
	scratchPrefix = "cloverleaf-"
	scratchLock   = "lock"
)

// newScratch makes a folder, and removes those of runs that ended without doing so.
func newScratch() (*scratch, error) {
	removeStale()
	dir, err := os.MkdirTemp("", scratchPrefix)
	if err != nil {
		return nil, err
	}
	s := &scratch{dir: dir}
	// The lock gets its name when it is held: otherwise another run could take this one for dead.
	path := filepath.Join(dir, scratchLock)
	if s.lock, err = os.OpenFile(path+".new", os.O_CREATE|os.O_RDWR, 0o600); err == nil {
		if err = syscall.Flock(int(s.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil { //nolint:gosec // a file descriptor
			err = os.Rename(path+".new", path)
		}
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *scratch) close() {
	_ = os.RemoveAll(s.dir)
	if s.lock != nil {
		_ = s.lock.Close()
	}
}

func removeStale() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), scratchPrefix+"*"))
	for _, dir := range dirs {
		if ours(dir) && abandoned(filepath.Join(dir, scratchLock)) {
			_ = os.RemoveAll(dir)
		}
	}
}

// ours tells whether a path is a folder of this user, and no link to one.
func ours(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() {
		return false
	}
	sys, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(sys.Uid) == os.Geteuid()
}

// abandoned tells whether there is a lock that nobody holds.
func abandoned(lock string) bool {
	f, err := os.OpenFile(lock, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil //nolint:gosec // a file descriptor
}
