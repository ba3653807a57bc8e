package store

import (
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// SetListenerReport stores how far the proxies of a class are with a listener; an empty report, of one that is no longer
// wanted, takes that back.
func (s *Store) SetListenerReport(key input.ClassListener, report input.ListenerReport) {
	if report == (input.ListenerReport{}) {
		input.ListenerReports.Delete(s.table, key)
		return
	}
	input.ListenerReports.Set(s.table, key, report)
}

// SetRejection stores that an Envoy refused a resource; a rejection without a version takes that back.
func (s *Store) SetRejection(id ir.ResourceID, rejection input.Rejection) {
	shard := input.ShardOf(id.Name)
	if rejection.Version == "" {
		remove(s.table, input.RejectedIn, shard, id, ir.ResourceID.Compare)
		input.Rejections.Delete(s.table, id)
		return
	}
	add(s.table, input.RejectedIn, shard, id, ir.ResourceID.Compare)
	input.Rejections.Set(s.table, id, rejection)
}

// SetLocalCertificate stores a certificate of the local CA that stands in for a missing Secret. Both are PEM.
func (s *Store) SetLocalCertificate(secret ir.Name, cert, key []byte) {
	input.LocalCertificates.Set(s.table, secret, &input.Secret{Cert: string(cert), Key: string(key)})
}
