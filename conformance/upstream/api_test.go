package upstream

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	gwv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/cloverleaf-mesh/cloverleaf/config/schema"
)

// fakeAPI stands in for an API server: controller-runtime's fake client, and what that leaves out and the suite looks
// at: defaults and validation of the CRDs, generations, UIDs and creation times.
type fakeAPI struct {
	client.WithWatch // what the suite uses
	scheme           *runtime.Scheme

	mu      sync.Mutex // held through every write, so that writes are told in their order
	inner   client.WithWatch
	schemas *schema.Set
	count   int         // of objects ever made
	written func(write) // must neither block nor write
}

// write is what happened to an object.
type write struct {
	object *unstructured.Unstructured
	act    act
}

type act string

const (
	made    act = "made"
	changed act = "changed"
	deleted act = "deleted"
)

func newFakeAPI(written func(write)) (*fakeAPI, error) {
	a := &fakeAPI{scheme: runtime.NewScheme(), schemas: schema.NewSet(), written: written}
	for _, add := range []func(*runtime.Scheme) error{
		clientscheme.AddToScheme, apiextensionsv1.AddToScheme, gwv1.Install, gwv1beta1.Install,
	} {
		if err := add(a.scheme); err != nil {
			return nil, err
		}
	}
	a.inner = fake.NewClientBuilder().WithScheme(a.scheme).WithStatusSubresource(
		&gwv1.GatewayClass{}, &gwv1.Gateway{}, &gwv1.ListenerSet{}, &gwv1.HTTPRoute{}, &gwv1.GRPCRoute{}, &gwv1.TLSRoute{},
		&gwv1.TCPRoute{}, &gwv1.UDPRoute{}, &gwv1.BackendTLSPolicy{},
	).Build()
	a.WithWatch = interceptor.NewClient(a.inner, interceptor.Funcs{
		Create: a.create, Update: a.update, Patch: a.patch, Delete: a.remove,
		SubResourceUpdate: func(ctx context.Context, _ client.Client, sub string, o client.Object, opts ...client.SubResourceUpdateOption) error {
			a.mu.Lock()
			defer a.mu.Unlock()
			return a.inner.SubResource(sub).Update(ctx, o, opts...)
		},
	})
	return a, nil
}

func (a *fakeAPI) create(ctx context.Context, _ client.WithWatch, o client.Object, opts ...client.CreateOption) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	u, err := a.admitted(o)
	if err != nil {
		return err
	}
	a.count++
	u.SetUID(types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", a.count)))
	u.SetCreationTimestamp(metav1.Now())
	u.SetGeneration(1)
	if u.GetKind() == "Namespace" {
		_ = unstructured.SetNestedField(u.Object, u.GetName(), "metadata", "labels", corev1.LabelMetadataName)
	}
	if err := a.inner.Create(ctx, u, opts...); err != nil {
		return err
	}
	return a.tell(ctx, u, made, o)
}

func (a *fakeAPI) update(ctx context.Context, _ client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	before, err := a.stored(ctx, o)
	if err != nil {
		return err
	}
	return a.replace(ctx, before, o, o, opts...)
}

func (a *fakeAPI) patch(ctx context.Context, _ client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	before, err := a.stored(ctx, o)
	if err != nil {
		return err
	}
	if err := a.inner.Patch(ctx, o, p, opts...); err != nil {
		return err
	}
	after, err := a.stored(ctx, o)
	if err != nil {
		return err
	}
	return a.replace(ctx, before, after, o)
}

// replace writes an object in the place of what was there before, and hands the outcome back.
func (a *fakeAPI) replace(ctx context.Context, before *unstructured.Unstructured, o, out client.Object, opts ...client.UpdateOption) error {
	u, err := a.admitted(o)
	if err != nil {
		return err
	}
	u.SetUID(before.GetUID())
	u.SetCreationTimestamp(before.GetCreationTimestamp())
	u.SetGeneration(before.GetGeneration())
	if u.GetResourceVersion() == "" { // whoever does not say what was read replaces whatever there is
		u.SetResourceVersion(before.GetResourceVersion())
	}
	if !equality.Semantic.DeepEqual(before.Object["spec"], u.Object["spec"]) {
		u.SetGeneration(before.GetGeneration() + 1)
	}
	if err := a.inner.Update(ctx, u, opts...); err != nil {
		return err
	}
	return a.tell(ctx, u, changed, out)
}

func (a *fakeAPI) remove(ctx context.Context, _ client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	before, err := a.stored(ctx, o)
	if err != nil {
		return err
	}
	if err := a.inner.Delete(ctx, o, opts...); err != nil {
		return err
	}
	a.written(write{before, deleted})
	return nil
}

// tell hands on what is stored now, to the caller's object too.
func (a *fakeAPI) tell(ctx context.Context, u *unstructured.Unstructured, what act, out client.Object) error {
	stored, err := a.stored(ctx, u)
	if err != nil {
		return err
	}
	a.written(write{stored, what})
	return a.inner.Get(ctx, client.ObjectKeyFromObject(u), out)
}

// stored reads an object as it is stored.
func (a *fakeAPI) stored(ctx context.Context, o client.Object) (*unstructured.Unstructured, error) {
	gvk, err := apiutil.GVKForObject(o, a.scheme)
	if err != nil {
		return nil, err
	}
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gvk)
	return u, a.inner.Get(ctx, client.ObjectKeyFromObject(o), u)
}

// admitted returns an object as a cluster would store it: with the defaults of its CRD, or refused.
func (a *fakeAPI) admitted(o client.Object) (*unstructured.Unstructured, error) {
	gvk, err := apiutil.GVKForObject(o, a.scheme)
	if err != nil {
		return nil, err
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return nil, err
	}
	u := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(fields)}
	u.SetGroupVersionKind(gvk)
	v := a.schemas.For(gvk)
	if v == nil {
		return u, nil
	}
	status, hasStatus := u.Object["status"]
	delete(u.Object, "status")
	v.Default(u.Object)
	structure, rules := v.Check(u.Object)
	if all := append(structure, rules...); len(all) > 0 {
		return nil, apierrors.NewInvalid(gvk.GroupKind(), o.GetName(), all)
	}
	if hasStatus {
		u.Object["status"] = status
	}
	return u, nil
}

// setStatus writes what the core says of an object, which may be gone by now.
func (a *fakeAPI) setStatus(o *unstructured.Unstructured, status map[string]any) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	u, err := a.stored(context.Background(), o)
	if err != nil {
		return client.IgnoreNotFound(err)
	}
	u.Object["status"] = status
	return a.inner.Status().Update(context.Background(), u)
}
