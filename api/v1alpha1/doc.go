// Package v1alpha1 holds the Go types of Cloverleaf's own kinds, group cloverleaf.dev. They are the only contract with
// users besides the Gateway API. It holds types alone: what they mean is decided elsewhere.
//
// +kubebuilder:object:generate=true
// +groupName=cloverleaf.dev
package v1alpha1
