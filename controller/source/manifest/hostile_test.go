package manifest_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
)

const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"

// cpu returns the processor time of this process, which other programs' load does not disturb.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// bearable is far more than anything here takes, and far less than what it guards against.
const bearable = 20 * time.Second

// TestAliasesThatMeanGigabytesAreRefusedAtOnce: a few kilobytes of aliases can mean more than any memory holds.
func TestAliasesThatMeanGigabytesAreRefusedAtOnce(t *testing.T) {
	laughs := "data:\n  a: &a {x: lol}\n"
	for c := 'b'; c <= 'k'; c++ {
		before := string(c - 1)
		laughs += fmt.Sprintf("  %c: &%c {%s}\n", c, c, strings.TrimSuffix(repeat(10, func(i int) string {
			return fmt.Sprintf("k%d: *%s, ", i, before)
		}), ", "))
	}
	long := "data:\n  a: &a " + strings.Repeat("x", 1<<20) + "\n" + repeat(50_000, func(i int) string { return fmt.Sprintf("  k%d: *a\n", i) })
	list := "x: [" + strings.Repeat("*a,", 1000) + "]\n"
	start := cpu(t)
	for name, body := range map[string]string{
		"nested": laughs, "long": long, "list": "a: &a [" + strings.Repeat("lol,", 1000) + "]\n" + list,
		"merged": "a: &a {x: y}\nb: {<<: [" + strings.Repeat("*a,", 400_000) + "]}\n",
	} {
		t.Run(name, func(t *testing.T) {
			before := cpu(t)
			f := manifest.NewDecoder().Decode("in.yaml", []byte(fmt.Sprintf(configMap, "bomb")+body+"---\n"+fmt.Sprintf(configMap, "good")))
			if spent := cpu(t) - before; spent > bearable {
				t.Errorf("it took %v", spent)
			}
			if len(f.Problems) != 1 || f.Problems[0].Finding.Code != finding.DocumentTooBig {
				t.Errorf("problems: %v", f.Problems)
			}
			if len(f.Objects) != 1 || f.Objects[0].Ref.Name.Name != "good" {
				t.Errorf("objects: %v", f.Objects)
			}
		})
	}
	fmt.Printf("evidence: four documents that mean gigabytes refused in %v of CPU\n", cpu(t)-start)
}

func repeat(n int, f func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(f(i))
	}
	return b.String()
}

// TestDeepNestingIsRefusedAndHarmsNothing: brackets within brackets must not eat the stack.
func TestDeepNestingIsRefusedAndHarmsNothing(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("[", 1<<20), strings.Repeat("{a: ", 300_000), strings.Repeat("- ", 500_000),
		"a: " + strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000),
		fmt.Sprintf(configMap, "deep") + "data: {a: " + strings.Repeat("{a: ", 9_000) + "b" + strings.Repeat("}", 9_000) + "}\n",
		repeat(2_000, func(i int) string { return strings.Repeat(" ", i) + "a:\n" }),
		"&a " + strings.Repeat("- *a\n", 1_000), strings.Repeat("? ", 100_000),
	} {
		before := cpu(t)
		f := manifest.NewDecoder().Decode("in.yaml", []byte(text+"\n---\n"+fmt.Sprintf(configMap, "good")))
		if spent := cpu(t) - before; spent > bearable {
			t.Errorf("it took %v", spent)
		}
		if len(f.Objects) != 1 || f.Objects[0].Ref.Name.Name != "good" || len(f.Problems) == 0 {
			t.Errorf("objects %v, problems %v", f.Objects, f.Problems)
		}
		for _, p := range f.Problems {
			if p.Finding.Code == finding.Internal {
				t.Error(p)
			}
		}
	}
}

// TestADocumentLargerThanAClusterStoresIsRefused, and a larger file of smaller documents is read.
func TestADocumentLargerThanAClusterStoresIsRefused(t *testing.T) {
	large := fmt.Sprintf(configMap, "large") + "data: {a: \"" + strings.Repeat("x", manifest.MaxDocument) + "\"}\n"
	f := manifest.NewDecoder().Decode("in.yaml", []byte("---\n"+large+"---\n"+fmt.Sprintf(configMap, "good")))
	if len(f.Problems) != 1 || f.Problems[0].Finding.Code != finding.DocumentTooBig || f.Problems[0].At.Line != 2 || !f.Unnamed {
		t.Errorf("problems: %v", f.Problems)
	}
	if len(f.Objects) != 1 || f.Objects[0].Start.Line != 7 {
		t.Errorf("objects: %v", f.Objects)
	}
	const each = 40_000
	many := repeat(100, func(i int) string {
		return fmt.Sprintf(configMap, fmt.Sprintf("m%d", i)) + "data: {a: \"" + strings.Repeat("x", each) + "\"}\n---\n"
	})
	f = manifest.NewDecoder().Decode("in.yaml", []byte(many))
	if len(many) < 4_000_000 || len(f.Objects) != 100 || len(f.Problems) != 0 {
		t.Errorf("%d bytes, %d objects, problems %v", len(many), len(f.Objects), f.Problems)
	}
}
