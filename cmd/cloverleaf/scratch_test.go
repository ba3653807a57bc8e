package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestTheFolderOfAKilledRunIsRemovedByTheNext, and those of others are not.
func TestTheFolderOfAKilledRunIsRemovedByTheNext(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	living, err := newScratch()
	if err != nil {
		t.Fatal(err)
	}
	defer living.close()
	killed, err := newScratch()
	if err != nil {
		t.Fatal(err)
	}
	_ = killed.lock.Close() // as the end of a process does
	without := filepath.Join(os.TempDir(), scratchPrefix+"without-a-lock")
	link := filepath.Join(os.TempDir(), scratchPrefix+"link")
	if err := os.Mkdir(without, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(killed.dir, link); err != nil {
		t.Fatal(err)
	}
	next, err := newScratch()
	if err != nil {
		t.Fatal(err)
	}
	next.close()
	for path, want := range map[string]bool{living.dir: true, killed.dir: false, without: true, link: true, next.dir: false} {
		if _, err := os.Lstat(path); (err == nil) != want {
			t.Errorf("%s is there: %t, want %t", path, err == nil, want)
		}
	}
}
