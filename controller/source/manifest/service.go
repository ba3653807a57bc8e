package manifest

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checkService makes an API server's checks, except of what a server adds itself (addresses, node ports) and of what no
// gateway cares for (load balancers), and fills in the defaults that matter here.
func checkService(o metav1.Object) field.ErrorList {
	svc := o.(*corev1.Service) //nolint:forcetypeassert // its own kind
	s, at := &svc.Spec, field.NewPath("spec")
	if s.Type == "" {
		s.Type = corev1.ServiceTypeClusterIP
	}
	errs := metavalidation.ValidateLabels(s.Selector, at.Child("selector"))
	errs = append(errs, oneOf(at.Child("type"), s.Type,
		corev1.ServiceTypeClusterIP, corev1.ServiceTypeExternalName, corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeNodePort)...)
	errs = append(errs, oneOf(at.Child("sessionAffinity"), s.SessionAffinity, "", corev1.ServiceAffinityClientIP, corev1.ServiceAffinityNone)...)
	if s.InternalTrafficPolicy != nil {
		errs = append(errs, oneOf(at.Child("internalTrafficPolicy"), *s.InternalTrafficPolicy,
			corev1.ServiceInternalTrafficPolicyCluster, corev1.ServiceInternalTrafficPolicyLocal)...)
	}
	if s.TrafficDistribution != nil {
		errs = append(errs, oneOf(at.Child("trafficDistribution"), *s.TrafficDistribution,
			corev1.ServiceTrafficDistributionPreferClose, corev1.ServiceTrafficDistributionPreferSameNode, corev1.ServiceTrafficDistributionPreferSameZone)...)
	}
	headless := s.ClusterIP == corev1.ClusterIPNone
	if s.ClusterIP != "" && !headless {
		errs = append(errs, validation.IsValidIP(at.Child("clusterIP"), s.ClusterIP)...)
	}
	switch {
	case s.Type == corev1.ServiceTypeExternalName:
		errs = append(errs, checkExternalName(s, at)...)
	case len(s.Ports) == 0 && !headless:
		errs = append(errs, field.Required(at.Child("ports"), "a Service needs a port"))
	case headless && s.Type != corev1.ServiceTypeClusterIP:
		errs = append(errs, field.Invalid(at.Child("clusterIP"), s.ClusterIP, "only a Service of type ClusterIP may have none"))
	}
	return append(errs, checkServicePorts(s, at.Child("ports"))...)
}

func checkExternalName(s *corev1.ServiceSpec, at *field.Path) (errs field.ErrorList) {
	if s.ClusterIP != "" {
		errs = append(errs, field.Forbidden(at.Child("clusterIP"), "a Service of type ExternalName has none"))
	}
	if s.ExternalName == "" {
		return append(errs, field.Required(at.Child("externalName"), "a Service of type ExternalName needs it"))
	}
	return append(errs, invalid(at.Child("externalName"), s.ExternalName, validation.IsDNS1123Subdomain(strings.TrimSuffix(s.ExternalName, ".")))...)
}

func checkServicePorts(s *corev1.ServiceSpec, at *field.Path) (errs field.ErrorList) {
	type number struct {
		protocol corev1.Protocol
		port     int32
	}
	names, ports, nodePorts := map[string]bool{}, map[number]bool{}, map[number]bool{}
	for i := range s.Ports {
		p, at := &s.Ports[i], at.Index(i)
		if p.Protocol == "" {
			p.Protocol = corev1.ProtocolTCP
		}
		errs = append(errs, checkServicePort(p, at, len(s.Ports) > 1)...)
		if p.Name != "" && names[p.Name] {
			errs = append(errs, field.Duplicate(at.Child("name"), p.Name))
		}
		if key := (number{p.Protocol, p.Port}); ports[key] {
			errs = append(errs, field.Duplicate(at, string(p.Protocol)+"/"+strconv.Itoa(int(p.Port))))
		} else {
			ports[key] = true
		}
		if key := (number{p.Protocol, p.NodePort}); p.NodePort != 0 && nodePorts[key] {
			errs = append(errs, field.Duplicate(at.Child("nodePort"), p.NodePort))
		} else {
			nodePorts[key] = true
		}
		if p.NodePort != 0 && s.Type == corev1.ServiceTypeClusterIP {
			errs = append(errs, field.Forbidden(at.Child("nodePort"), "a Service of type ClusterIP has none"))
		}
		names[p.Name] = true
	}
	return errs
}

func checkServicePort(p *corev1.ServicePort, at *field.Path, named bool) (errs field.ErrorList) {
	switch {
	case p.Name == "" && named:
		errs = append(errs, field.Required(at.Child("name"), "a Service with several ports must name them"))
	case p.Name != "":
		errs = append(errs, invalid(at.Child("name"), p.Name, validation.IsDNS1123Label(p.Name))...)
	}
	errs = append(errs, invalid(at.Child("port"), p.Port, validation.IsValidPortNum(int(p.Port)))...)
	errs = append(errs, checkProtocol(at, p.Protocol, p.AppProtocol)...)
	switch {
	case p.TargetPort.Type == intstr.String:
		errs = append(errs, invalid(at.Child("targetPort"), p.TargetPort.StrVal, validation.IsValidPortName(p.TargetPort.StrVal))...)
	case p.TargetPort.IntVal != 0: // 0 means the port itself
		errs = append(errs, invalid(at.Child("targetPort"), p.TargetPort.IntVal, validation.IsValidPortNum(int(p.TargetPort.IntVal)))...)
	}
	return errs
}

// checkProtocol checks what the ports of Services and of EndpointSlices have in common.
func checkProtocol(at *field.Path, p corev1.Protocol, app *string) field.ErrorList {
	errs := oneOf(at.Child("protocol"), p, corev1.ProtocolSCTP, corev1.ProtocolTCP, corev1.ProtocolUDP)
	if app != nil {
		errs = append(errs, invalid(at.Child("appProtocol"), *app, validation.IsQualifiedName(*app))...)
	}
	return errs
}

// oneOf refuses a value that is none of those allowed.
func oneOf[T ~string](at *field.Path, value T, allowed ...T) field.ErrorList {
	if slices.Contains(allowed, value) {
		return nil
	}
	return field.ErrorList{field.NotSupported(at, value, slices.DeleteFunc(allowed, func(a T) bool { return a == "" }))}
}

// invalid turns the messages of a library into errors.
func invalid(at *field.Path, value any, messages []string) (errs field.ErrorList) {
	for _, m := range messages {
		errs = append(errs, field.Invalid(at, value, m))
	}
	return errs
}
