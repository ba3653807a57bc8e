package upstream

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
)

// network is where Gateways and pods have their addresses: each one of its own on this machine, since every Gateway has
// a port 80 and every pod a port 3000. Ports below 1024 are bound higher, as `cloverleaf up` does, and are reached by
// [outside].
type network struct {
	mu    sync.Mutex
	next  netip.Addr
	given map[string]string
}

const (
	processAddress = "127.77.0.1"
	usableAddress  = "127.77.255.1"
	// unusableAddress is one of those for documentation (RFC 5737): no machine has it.
	unusableAddress = "192.0.2.1"
	offset          = 27000
)

func newNetwork() *network {
	return &network{next: netip.MustParseAddr(processAddress), given: map[string]string{}}
}

// of returns the address of a Gateway or a pod.
func (n *network) of(owner string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.given[owner] == "" {
		n.next = n.next.Next()
		n.given[owner] = n.next.String()
	}
	return n.given[owner]
}

// fakeCluster is what of a cluster the suite needs besides the API: addresses for Gateways, pods of Deployments and
// EndpointSlices of Services.
type fakeCluster struct {
	api     *fakeAPI
	core    *core
	net     *network
	kubelet *kubelet
	written *queue[write]
}

func startCluster(t *testing.T, echo string) *fakeCluster {
	t.Helper()
	c := &fakeCluster{net: newNetwork(), written: newQueue[write]()}
	var err error
	if c.api, err = newFakeAPI(c.apply); err != nil {
		t.Fatal(err)
	}
	c.core = startCore(t, input.Settings{Controller: controllerName, Standalone: input.On, Bind: processAddress, PortOffset: offset})
	c.kubelet = newKubelet(t, echo, c.net)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { c.core.writeStatuses(ctx, c.api) })
	running.Go(func() { c.manage(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return c
}

// apply is told of everything that is written.
func (c *fakeCluster) apply(w write) {
	c.written.put(w)
	c.core.objects.put(write{c.addressed(w.object), w.act})
}

// addressed gives a Gateway that leaves its address to the infrastructure one of its own.
func (c *fakeCluster) addressed(o *unstructured.Unstructured) *unstructured.Unstructured {
	if o.GetKind() != "Gateway" {
		return o
	}
	asked, _, _ := unstructured.NestedSlice(o.Object, "spec", "addresses")
	for _, a := range asked {
		if fields, _ := a.(map[string]any); fields["value"] != nil {
			return o
		}
	}
	o = o.DeepCopy()
	address := map[string]any{"type": string(gwv1.IPAddressType), "value": c.net.of("Gateway " + o.GetNamespace() + "/" + o.GetName())}
	_ = unstructured.SetNestedSlice(o.Object, []any{address}, "spec", "addresses")
	return o
}

// manage does what controllers of a cluster do, until the context ends.
func (c *fakeCluster) manage(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.written.wake:
		}
		for _, w := range c.written.take() {
			if err := c.react(ctx, w); err != nil && ctx.Err() == nil {
				c.core.fault("after a write of %s %s: %v", w.object.GetKind(), w.object.GetName(), err)
			}
		}
	}
}

func (c *fakeCluster) react(ctx context.Context, w write) error {
	switch w.object.GetKind() {
	case "Deployment":
		var d appsv1.Deployment
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(w.object.Object, &d); err != nil {
			return err
		}
		return c.deploy(ctx, &d, w.act == deleted)
	case "Secret", "ConfigMap":
		return c.startPods(ctx, w.object.GetNamespace())
	case "Service":
		return c.setEndpoints(ctx, w.object.GetNamespace(), w.object.GetName(), w.act == deleted)
	case "Pod":
		return c.setAllEndpoints(ctx, w.object.GetNamespace())
	default:
		return nil
	}
}

// deploy makes or deletes the pods of a Deployment.
func (c *fakeCluster) deploy(ctx context.Context, d *appsv1.Deployment, gone bool) error {
	replicas := int32(1)
	if d.Spec.Replicas != nil {
		replicas = *d.Spec.Replicas
	}
	for i := range replicas {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			// The suite knows a backend by what stands before the last two dashes.
			Namespace: d.Namespace, Name: fmt.Sprintf("%s-fake-%d", d.Name, i), Labels: d.Spec.Template.Labels,
		}, Spec: *d.Spec.Template.Spec.DeepCopy()}
		pod.Spec.NodeName = "fake-node"
		if gone {
			c.kubelet.stop(client.ObjectKeyFromObject(pod))
			if err := client.IgnoreNotFound(c.api.Delete(ctx, pod)); err != nil {
				return err
			}
			continue
		}
		if err := client.IgnoreAlreadyExists(c.api.Create(ctx, pod)); err != nil {
			return err
		}
	}
	return c.startPods(ctx, d.Namespace)
}

// startPods starts the pods of a namespace that do not run and have all that they mount.
func (c *fakeCluster) startPods(ctx context.Context, namespace string) error {
	var pods corev1.PodList
	if err := c.api.List(ctx, &pods, client.InNamespace(namespace)); err != nil {
		return err
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if ready(pod) {
			continue
		}
		mounts, complete, err := c.mounted(ctx, pod)
		if err != nil || !complete {
			return err
		}
		ip, err := c.kubelet.start(pod, mounts)
		if err != nil {
			return err
		}
		pod.Status = corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}},
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
		}
		if err := c.api.Status().Update(ctx, pod); err != nil {
			return err
		}
	}
	return c.setAllEndpoints(ctx, namespace)
}

// mounted returns the files of a pod's volumes by their paths in its container, and whether all of them are there.
func (c *fakeCluster) mounted(ctx context.Context, pod *corev1.Pod) (files map[string][]byte, complete bool, err error) {
	files = map[string][]byte{}
	container := &pod.Spec.Containers[0]
	for _, m := range container.VolumeMounts {
		i := slices.IndexFunc(pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
		if i < 0 {
			return nil, false, fmt.Errorf("pod %s mounts %s, which it does not have", pod.Name, m.Name)
		}
		data, items, err := c.volume(ctx, pod.Namespace, &pod.Spec.Volumes[i])
		if err != nil || data == nil {
			return nil, false, client.IgnoreNotFound(err)
		}
		for _, item := range items {
			files[m.MountPath+"/"+item.Path] = data[item.Key]
		}
	}
	return files, true, nil
}

func (c *fakeCluster) volume(ctx context.Context, namespace string, v *corev1.Volume) (map[string][]byte, []corev1.KeyToPath, error) {
	switch {
	case v.Secret != nil:
		var s corev1.Secret
		err := c.api.Get(ctx, types.NamespacedName{Namespace: namespace, Name: v.Secret.SecretName}, &s)
		return s.Data, v.Secret.Items, err
	case v.ConfigMap != nil:
		var m corev1.ConfigMap
		err := c.api.Get(ctx, types.NamespacedName{Namespace: namespace, Name: v.ConfigMap.Name}, &m)
		data := map[string][]byte{}
		for key, text := range m.Data {
			data[key] = []byte(text)
		}
		return data, v.ConfigMap.Items, err
	default:
		return nil, nil, fmt.Errorf("volume %s is neither a Secret nor a ConfigMap", v.Name)
	}
}

func ready(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

func (c *fakeCluster) setAllEndpoints(ctx context.Context, namespace string) error {
	var services corev1.ServiceList
	if err := c.api.List(ctx, &services, client.InNamespace(namespace)); err != nil {
		return err
	}
	for i := range services.Items {
		if err := c.setEndpoints(ctx, namespace, services.Items[i].Name, false); err != nil {
			return err
		}
	}
	return nil
}

// setEndpoints writes the EndpointSlice of a Service with a selector.
func (c *fakeCluster) setEndpoints(ctx context.Context, namespace, name string, gone bool) error {
	slice := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: name + "-of-the-harness", Labels: map[string]string{discoveryv1.LabelServiceName: name},
	}, AddressType: discoveryv1.AddressTypeIPv4}
	var service corev1.Service
	err := c.api.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, &service)
	switch {
	case gone || client.IgnoreNotFound(err) == nil && err != nil:
		return client.IgnoreNotFound(c.api.Delete(ctx, slice))
	case err != nil:
		return err
	case len(service.Spec.Selector) == 0:
		return nil
	}
	var pods corev1.PodList
	selected := client.MatchingLabelsSelector{Selector: labels.SelectorFromSet(service.Spec.Selector)}
	if err := c.api.List(ctx, &pods, client.InNamespace(namespace), selected); err != nil {
		return err
	}
	for i := range pods.Items {
		if pod := &pods.Items[i]; ready(pod) {
			slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{pod.Status.PodIP}})
		}
	}
	for _, p := range service.Spec.Ports {
		target := p.TargetPort.IntVal // no manifest of the suite names a container's port
		if target == 0 {
			target = p.Port
		}
		slice.Ports = append(slice.Ports, discoveryv1.EndpointPort{Name: &p.Name, Port: &target, Protocol: &p.Protocol})
	}
	if err := c.api.Create(ctx, slice.DeepCopy()); client.IgnoreAlreadyExists(err) != nil || err == nil {
		return err
	}
	return c.api.Update(ctx, slice)
}
