package manifest

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checkSecret moves stringData into data, as an API server does, and checks what its type needs.
func checkSecret(o metav1.Object) field.ErrorList {
	s := o.(*corev1.Secret) //nolint:forcetypeassert // its own kind
	for k, v := range s.StringData {
		if s.Data == nil {
			s.Data = map[string][]byte{}
		}
		s.Data[k] = []byte(v)
	}
	s.StringData = nil
	at := field.NewPath("data")
	errs, size := checkKeys(s.Data, at)
	if size > corev1.MaxSecretSize {
		errs = append(errs, field.TooLong(at, "", corev1.MaxSecretSize))
	}
	needs := map[corev1.SecretType][]string{
		corev1.SecretTypeTLS:              {corev1.TLSCertKey, corev1.TLSPrivateKeyKey},
		corev1.SecretTypeSSHAuth:          {corev1.SSHAuthPrivateKey},
		corev1.SecretTypeDockercfg:        {corev1.DockerConfigKey},
		corev1.SecretTypeDockerConfigJson: {corev1.DockerConfigJsonKey},
	}
	for _, key := range needs[s.Type] {
		if _, ok := s.Data[key]; !ok {
			errs = append(errs, field.Required(at.Key(key), "a Secret of type "+string(s.Type)+" needs it"))
		}
	}
	return errs
}

// checkConfigMap checks keys and size.
func checkConfigMap(o metav1.Object) field.ErrorList {
	c := o.(*corev1.ConfigMap) //nolint:forcetypeassert // its own kind
	errs, size := checkKeys(c.Data, field.NewPath("data"))
	more, binary := checkKeys(c.BinaryData, field.NewPath("binaryData"))
	errs = append(errs, more...)
	for _, key := range slices.Sorted(maps.Keys(c.BinaryData)) {
		if _, twice := c.Data[key]; twice {
			errs = append(errs, field.Invalid(field.NewPath("binaryData").Key(key), key, "stands in data, too"))
		}
	}
	if size+binary > corev1.MaxSecretSize {
		errs = append(errs, field.TooLong(field.NewPath("data"), "", corev1.MaxSecretSize))
	}
	return errs
}

// checkKeys checks the keys of a Secret or ConfigMap, and adds up its values.
func checkKeys[V string | []byte](data map[string]V, at *field.Path) (errs field.ErrorList, size int) {
	for _, key := range slices.Sorted(maps.Keys(data)) {
		errs = append(errs, invalid(at.Key(key), key, validation.IsConfigMapKey(key))...)
		size += len(data[key])
	}
	return errs, size
}
