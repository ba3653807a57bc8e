package localca_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/controller/localca"
)

func open(t *testing.T, dir string) *localca.CA {
	t.Helper()
	ca, err := localca.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func TestACAIsMadeOnceAndReadAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "ca")
	first, second := open(t, dir), open(t, dir)
	if first.NotAfter() != second.NotAfter() || first.Path() != filepath.Join(dir, "ca.crt") {
		t.Errorf("%s until %s, then %s until %s", first.Path(), first.NotAfter(), second.Path(), second.NotAfter())
	}
	if left := time.Until(first.NotAfter()); left < localca.RootLife-time.Hour {
		t.Errorf("it lives only %s", left)
	}
}

func TestNobodyElseCanReadTheKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	open(t, dir)
	for name, want := range map[string]os.FileMode{"": 0o700, "ca.key": 0o600, "ca.crt": 0o644} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", name, info.Mode().Perm(), want)
		}
	}
}

// leaf makes a certificate and reads it.
func leaf(t *testing.T, ca *localca.CA, hosts []string, now time.Time) (*x509.Certificate, *x509.CertPool) {
	t.Helper()
	chain, key, err := ca.Leaf(hosts, now)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		t.Fatal(err)
	}
	if len(pair.Certificate) != 2 {
		t.Errorf("the chain has %d certificates", len(pair.Certificate))
	}
	root, err := os.ReadFile(ca.Path())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(root)
	return pair.Leaf, roots
}

func TestALeafIsForItsHostsAndAddresses(t *testing.T) {
	cert, roots := leaf(t, open(t, t.TempDir()), []string{"a.example.com", "*.b.example.com", "127.0.0.1", "::1"}, time.Now())
	for host, want := range map[string]bool{
		"a.example.com": true, "x.b.example.com": true, "b.example.com": false, "x.y.b.example.com": false, "127.0.0.1": true,
		"[::1]": true, "127.0.0.2": false, "other.example.com": false,
	} {
		_, err := cert.Verify(x509.VerifyOptions{DNSName: host, Roots: roots})
		if (err == nil) != want {
			t.Errorf("%s: %v", host, err)
		}
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err == nil {
		t.Error("it is good for clients too")
	}
}

func TestALeafLivesADayFromWhenItIsMade(t *testing.T) {
	ca := open(t, t.TempDir())
	now := time.Now().Add(24 * time.Hour).Truncate(time.Second) // renewed tomorrow
	cert, roots := leaf(t, ca, []string{"a.example"}, now)
	if !cert.NotAfter.Equal(now.Add(localca.LeafLife)) || !cert.NotBefore.Before(now) {
		t.Errorf("valid from %s to %s", cert.NotBefore, cert.NotAfter)
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now}); err != nil {
		t.Error(err)
	}
	again, _ := leaf(t, ca, []string{"a.example"}, now)
	if again.SerialNumber.Cmp(cert.SerialNumber) == 0 {
		t.Error("two certificates have one serial number")
	}
}

// root makes a certificate for a key, valid until a time, as PEM.
func root(t *testing.T, key crypto.Signer, ca bool, until time.Time) string {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: until, IsCA: ca, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func newKey(t *testing.T) (*ecdsa.PrivateKey, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestACAThatSoonEndsIsMadeAnew(t *testing.T) {
	dir := t.TempDir()
	key, keyPEM := newKey(t)
	write(t, dir, map[string]string{"ca.key": keyPEM, "ca.crt": root(t, key, true, time.Now().Add(time.Hour))}) // a leaf would outlive it
	if left := time.Until(open(t, dir).NotAfter()); left < localca.RootLife-time.Hour {
		t.Errorf("it lives only %s", left)
	}
}

// TestABrokenCAIsReportedAndKept: someone may trust what is there, so nothing is overwritten.
func TestABrokenCAIsReportedAndKept(t *testing.T) {
	key, keyPEM := newKey(t)
	_, other := newKey(t)
	good := root(t, key, true, time.Now().Add(localca.RootLife))
	for name, c := range map[string]struct {
		files map[string]string
		words string
	}{
		"a certificate that is no PEM":  {map[string]string{"ca.crt": "nonsense", "ca.key": keyPEM}, "failed to find any PEM data"},
		"a key that is no PEM":          {map[string]string{"ca.crt": good, "ca.key": ""}, "failed to find any PEM data"},
		"a certificate of no sense":     {map[string]string{"ca.crt": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "ca.key": keyPEM}, "x509"},
		"a key of another certificate":  {map[string]string{"ca.crt": good, "ca.key": other}, "does not match"},
		"a certificate that is no CA":   {map[string]string{"ca.crt": root(t, key, false, time.Now().Add(localca.RootLife)), "ca.key": keyPEM}, "ca.crt is not of a CA"},
		"a certificate without its key": {map[string]string{"ca.crt": good}, "ca.key is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, c.files)
			_, err := localca.Open(dir)
			if err == nil || !strings.Contains(err.Error(), c.words) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "to make new ones") {
				t.Errorf("got %v", err)
			}
			for name, text := range c.files {
				if now, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(now) != text {
					t.Errorf("%s was changed (%v)", name, err)
				}
			}
		})
	}
}

func TestAKeyWithoutACertificateIsOfNoUseToAnybodyAndReplaced(t *testing.T) {
	dir := t.TempDir()
	_, keyPEM := newKey(t)
	write(t, dir, map[string]string{"ca.key": keyPEM})
	leaf(t, open(t, dir), []string{"a.example"}, time.Now())
}

func TestAFolderThatCannotBeMadeIsReported(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"file": ""})
	if _, err := localca.Open(filepath.Join(dir, "file", "ca")); err == nil || !strings.Contains(err.Error(), "local CA in") {
		t.Errorf("got %v", err)
	}
}

func TestTheFolderOfAUserFollowsXDG(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", "/data")
	if dir, err := localca.DefaultDir(); err != nil || dir != "/data/cloverleaf/ca" {
		t.Errorf("%s, %v", dir, err)
	}
	t.Setenv("XDG_DATA_HOME", "")
	t.Setenv("HOME", "/home/me")
	if dir, err := localca.DefaultDir(); err != nil || dir != "/home/me/.local/share/cloverleaf/ca" {
		t.Errorf("%s, %v", dir, err)
	}
}
