package dataplane

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/internal/casefile"
	"github.com/cloverleaf-mesh/cloverleaf/internal/echo"
)

// authority is a CA of these tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB, name string) *authority {
	t.Helper()
	a := &authority{}
	template := &x509.Certificate{
		SerialNumber: serial(t), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

func serial(t testing.TB) *big.Int {
	t.Helper()
	n, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (a *authority) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// leaf is a certificate with its key, both PEM.
type leaf struct{ cert, key []byte }

// issue makes a certificate for a subject, DNS names and perhaps a URI, good for servers and clients.
func (a *authority) issue(t testing.TB, subject, uri string, names ...string) leaf {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial(t), Subject: pkix.Name{CommonName: subject}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if u, err := url.Parse(uri); err == nil && uri != "" {
		template.URIs = []*url.URL{u}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return leaf{
		cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
	}
}

func (l leaf) pair(t testing.TB) tls.Certificate {
	t.Helper()
	pair, err := tls.X509KeyPair(l.cert, l.key)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// material is what cases have of certificates.
type material struct{ trusted, stranger *authority }

// clients are the certificates that requests can show.
var clients map[string]tls.Certificate

func newMaterial(t testing.TB) *material {
	t.Helper()
	m := &material{newAuthority(t, "authority"), newAuthority(t, "stranger")}
	clients = map[string]tls.Certificate{
		"client": m.trusted.issue(t, "client", "").pair(t), "impostor": m.stranger.issue(t, "impostor", "").pair(t),
	}
	return m
}

// backends starts the backends and returns what fills the objects of cases. Three of them speak TLS: secure asks for a
// certificate and takes any or none, strict wants one of the authority, modern speaks TLS 1.3 alone.
func (m *material) backends(t *testing.T) (fill func(string) string) {
	t.Helper()
	cert := m.trusted.issue(t, "secure", "spiffe://example/shop", "secure.example", "*.wild.example").pair(t)
	speaks := map[string]*tls.Config{
		"secure": {ClientAuth: tls.RequestClientCert},
		"strict": {ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: m.trusted.pool()},
		"modern": {MinVersion: tls.VersionTLS13},
	}
	ports := map[string]string{}
	for _, name := range casefile.Backends() {
		config := speaks[name]
		if config != nil {
			config.Certificates = []tls.Certificate{cert}
		}
		s, err := echo.Start(echo.Options{Name: name, Address: "127.0.0.1:0", TLS: config, Observe: copies.observe})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		ports[name] = strconv.Itoa(s.Port())
	}
	authorities := map[string]string{"authority": m.trusted.pem(), "stranger": m.stranger.pem()}
	pairs := map[string][2][]byte{}
	for name, l := range map[string]leaf{
		"client": m.trusted.issue(t, "gateway", ""),
		"alpha":  m.trusted.issue(t, "alpha", "", "alpha.example"),
		"beta":   m.trusted.issue(t, "beta", "", "beta.example", "*.beta.example"),
	} {
		pairs[name] = [2][]byte{l.cert, l.key}
	}
	return func(objects string) string { return casefile.Fill(objects, ports, authorities, pairs) }
}
