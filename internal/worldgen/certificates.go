package worldgen

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"slices"
	"time"
)

// Certificate is a certificate and key that Go reads, and whether Envoy takes them.
type Certificate struct {
	Name string
	Pair
	Usable bool
}

// Certificates makes certificates of all kinds that people have.
func Certificates() []Certificate {
	ec := func(c elliptic.Curve) crypto.Signer { return must(ecdsa.GenerateKey(c, rand.Reader)) }
	rsaKey := func(bits int) crypto.Signer { return must(rsa.GenerateKey(rand.Reader, bits)) }
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	list := []Certificate{
		selfSigned("RSA 2048", rsaKey(2048), true, nil), selfSigned("P-256", ec(elliptic.P256()), true, nil),
		selfSigned("P-384", ec(elliptic.P384()), true, nil), selfSigned("P-521", ec(elliptic.P521()), true, nil),
		selfSigned("Ed25519", must(ed, err), true, nil),
		selfSigned("RSA 1024", rsaKey(1024), false, nil), selfSigned("RSA 2047", rsaKey(2047), false, nil),
		selfSigned("P-224", ec(elliptic.P224()), false, nil),
		selfSigned("expired", ec(elliptic.P256()), true, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }),
		selfSigned("ECDSA that may not sign", ec(elliptic.P256()), false, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign }),
		selfSigned("RSA that may not sign", rsaKey(2048), true, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }),
		selfSigned("that must be stapled", ec(elliptic.P256()), false, func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}, Value: []byte{0x30, 3, 2, 1, 5}}}
		}),
		selfSigned("for clients", ec(elliptic.P256()), true, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }),
	}
	good := list[1].Cert
	for name, after := range map[string]string{
		"words after the chain":             "some words\n",
		"a second certificate of no sense":  "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"a second certificate cut off":      "-----BEGIN CERTIFICATE-----\nAAAA\n",
		"a second certificate not readable": "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
		"a block of another kind":           "-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n",
		"the chain twice":                   string(good),
	} {
		usable := name == "words after the chain" || name == "a block of another kind" || name == "the chain twice"
		list = append(list, Certificate{name, Pair{slices.Concat(good, []byte(after)), list[1].Key}, usable})
	}
	return append(list, Certificate{"words before the chain", Pair{slices.Concat([]byte("words\n"), good), list[1].Key}, true})
}

func selfSigned(name string, key crypto.Signer, usable bool, change func(*x509.Certificate)) Certificate {
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"a.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	if change != nil {
		change(c)
	}
	der := must(x509.CreateCertificate(rand.Reader, c, c, key.Public(), key))
	keyDER := must(x509.MarshalPKCS8PrivateKey(key))
	return Certificate{name, Pair{
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}, usable}
}

// must unwraps what cannot fail with these arguments.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
