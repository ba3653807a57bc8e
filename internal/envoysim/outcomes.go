package envoysim

import "slices"

// Outcome is one of the things that may happen to a request, and the share of such requests to which it happens.
type Outcome struct {
	Share  float64
	Result *Result
	// Copied are the shares of these requests that the mirrors of Result.Upstream get, in their order.
	Copied []float64
}

// Outcomes lists everything that may happen to a request whatever its random number, in the order of the routes and of
// their clusters. Shares are exact: Envoy draws one number for a request, compares it with the fractions of routes and
// mirrors, and chooses a cluster by it, and these are not independent where their totals have a common divisor.
func (c *Config) Outcomes(q Request) []Outcome {
	q.Random = 0
	first := c.enter(q)
	if first.route == nil {
		return []Outcome{{Share: 1, Result: c.evaluate(q).result}}
	}
	var out []Outcome
	for _, in := range first.intervals() {
		q.Random = in.from
		s := c.evaluate(q)
		if s.result.Upstream == nil || len(s.route.shares) < 2 {
			out = merge(out, in.share(), s.result)
			continue
		}
		var below uint64
		for _, share := range s.route.shares {
			part := residues{below, below + uint64(share.weight), uint64(s.route.total)}
			below = part.to
			if both := in.common(part); both > 0 {
				q.Random = in.member(part)
				out = merge(out, both, c.evaluate(q).result)
			}
		}
	}
	for i := range out {
		for j := range out[i].Copied {
			out[i].Copied[j] /= out[i].Share
		}
	}
	return out
}

// merge adds a share to the outcome of the same route and cluster, if there is one.
func merge(out []Outcome, share float64, r *Result) []Outcome {
	i := slices.IndexFunc(out, func(o Outcome) bool {
		return o.Result.route == r.route && o.Result.share == r.share
	})
	if i < 0 {
		i = len(out)
		out = append(out, Outcome{Result: r})
		if r.Upstream != nil {
			out[i].Copied = make([]float64, len(r.Upstream.Mirrors))
		}
	}
	out[i].Share += share
	for j := range out[i].Copied {
		if r.Upstream.Mirrors[j].Taken {
			out[i].Copied[j] += share
		}
	}
	return out
}

// residues are the random numbers that leave from <= n < to when they are divided by of.
type residues struct{ from, to, of uint64 }

// fractions is a common multiple of all denominators of fractions.
const fractions = 1_000_000

// intervals cuts the random numbers where the fraction of a route that could take the request ends, or of its mirrors.
func (s *stream) intervals() []residues {
	cuts := []uint64{0, fractions}
	cut := func(f *share) {
		if f != nil {
			cuts = append(cuts, min(f.below*(fractions/f.of), fractions))
		}
	}
	for _, r := range s.host.routes {
		if lost, _ := r.match.try(s); lost != "" && lost != LostShare {
			continue
		}
		cut(r.match.upTo)
		for _, m := range r.mirrors {
			cut(m.share)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	out := make([]residues, 0, len(cuts)-1)
	for i := 1; i < len(cuts); i++ {
		out = append(out, residues{cuts[i-1], cuts[i], fractions})
	}
	return out
}

func (r residues) share() float64 { return float64(r.to-r.from) / float64(r.of) }

// common is the share of numbers that are in both. By the Chinese remainder theorem a pair of residues belongs to
// numbers if they are the same by the greatest common divisor, and all such pairs are equally likely.
func (r residues) common(o residues) float64 {
	g := gcd(r.of, o.of)
	pairs := 0.0
	for n := range g {
		pairs += float64(r.leaving(n, g)) * float64(o.leaving(n, g))
	}
	return pairs * float64(g) / (float64(r.of) * float64(o.of))
}

// leaving counts the residues that leave n when they are divided by g.
func (r residues) leaving(n, g uint64) uint64 {
	below := func(end uint64) uint64 { // of those below end
		if end <= n {
			return 0
		}
		return (end-n-1)/g + 1
	}
	return below(r.to) - below(r.from)
}

// member returns a number that is in both, which must have one.
func (r residues) member(o residues) uint64 {
	g := gcd(r.of, o.of)
	for n := range g {
		if r.leaving(n, g) == 0 || o.leaving(n, g) == 0 {
			continue
		}
		number := r.from + (n+g-r.from%g)%g
		other := o.from + (n+g-o.from%g)%g
		for number%o.of != other { // at most o.of/g times
			number += r.of
		}
		return number
	}
	return 0
}

func gcd(a, b uint64) uint64 {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}
