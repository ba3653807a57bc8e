// Package localca is a certificate authority for one laptop. It decides how long its certificates live; who trusts it
// is the user's decision.
package localca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// The lives of certificates. A leaf is renewed at half of its life.
const (
	RootLife = 10 * 365 * 24 * time.Hour
	LeafLife = 24 * time.Hour
	skew     = 5 * time.Minute // clocks differ
)

// CA signs certificates for listeners. It is safe for concurrent use.
type CA struct {
	dir  string
	cert *x509.Certificate
	key  crypto.Signer
	pem  []byte
}

// DefaultDir returns where the CA of a user lives.
func DefaultDir() (string, error) {
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "cloverleaf", "ca"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".local", "share", "cloverleaf", "ca"), nil
}

// Open reads the CA of a folder, or makes one there: ca.crt, and ca.key that only its owner can read.
func Open(dir string) (*CA, error) {
	ca, err := load(dir)
	if err == nil && time.Until(ca.cert.NotAfter) > LeafLife {
		return ca, nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("local CA in %s: %w", dir, err)
	}
	if err := create(dir); err != nil {
		return nil, fmt.Errorf("local CA in %s: %w", dir, err)
	}
	return load(dir)
}

// load reads the CA of a folder. What is there is trusted by someone perhaps, so what is wrong with it is an error and
// nothing is made anew; a key alone is of no use to anybody.
func load(dir string) (*CA, error) {
	certPEM, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		return nil, err
	}
	keyPEM, err := os.ReadFile(filepath.Join(dir, "ca.key"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, errors.New("ca.key is missing; delete ca.crt too, to make new ones")
	}
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("ca.crt and ca.key cannot be used (%w); delete both to make new ones", err)
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || !pair.Leaf.IsCA {
		return nil, errors.New("ca.crt is not of a CA; delete it and ca.key to make new ones")
	}
	return &CA{dir: dir, cert: pair.Leaf, key: key, pem: certPEM}, nil
}

func create(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Cloverleaf local CA"},
		NotBefore: now.Add(-skew), NotAfter: now.Add(RootLife), IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := writePEM(filepath.Join(dir, "ca.key"), "EC PRIVATE KEY", keyDER, 0o600); err != nil {
		return err
	}
	return writePEM(filepath.Join(dir, "ca.crt"), "CERTIFICATE", der, 0o644)
}

func writePEM(path, kind string, der []byte, mode os.FileMode) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode)
}

func serial() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(err) // the system's source of randomness does not fail
	}
	return n
}

// Path returns the file of the CA's certificate, for clients to trust.
func (ca *CA) Path() string { return filepath.Join(ca.dir, "ca.crt") }

// NotAfter returns when the CA ends.
func (ca *CA) NotAfter() time.Time { return ca.cert.NotAfter }

// Leaf makes a certificate for host names or IP addresses, valid for LeafLife from now. Both results are PEM, the
// first with the CA's certificate after the leaf.
func (ca *CA) Leaf(hosts []string, now time.Time) (chain, key []byte, err error) {
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Cloverleaf local"},
		NotBefore: now.Add(-skew), NotAfter: now.Add(LeafLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, leafKey.Public(), ca.key)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalECPrivateKey(leafKey)
	if err != nil {
		return nil, nil, err
	}
	chain = append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), ca.pem...)
	return chain, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}), nil
}
