package cpu

// The leaves of reductions: terms src[at], src[at+stride], … folded in an order that depends on their number alone.

func sumInt[T integer](src []T, at, stride, terms int) T {
	var sum T
	for range terms {
		sum += src[at]
		at += stride
	}
	return sum
}

func prodInt[T integer](src []T, at, stride, terms int) T {
	product := T(1)
	for range terms {
		product *= src[at]
		at += stride
	}
	return product
}

// sumFloat returns the leaf that sums in float64 and rounds once: term i goes to sum i mod 4, which hides the latency of addition.
func sumFloat[T any, A float](load func(T) A) func(src []T, at, stride, terms int) A {
	switch leaf := any(sumWide[A]).(type) {
	case func(src []T, at, stride, terms int) A:
		return leaf
	}
	return func(src []T, at, stride, terms int) A {
		var s [4]float64
		for i := range terms {
			s[i%4] += float64(load(src[at]))
			at += stride
		}
		return A((s[0] + s[1]) + (s[2] + s[3]))
	}
}

func sumWide[T float](src []T, at, stride, terms int) T {
	var s0, s1, s2, s3 float64
	for ; terms >= 4; terms -= 4 {
		s0 += float64(src[at])
		s1 += float64(src[at+stride])
		s2 += float64(src[at+2*stride])
		s3 += float64(src[at+3*stride])
		at += 4 * stride
	}
	switch terms {
	case 3:
		s2 += float64(src[at+2*stride])
		fallthrough
	case 2:
		s1 += float64(src[at+stride])
		fallthrough
	case 1:
		s0 += float64(src[at])
	}
	return T((s0 + s1) + (s2 + s3))
}

// prodFloat returns the leaf that multiplies in float64, one by one, and rounds once.
func prodFloat[T any, A float](load func(T) A) func(src []T, at, stride, terms int) A {
	return func(src []T, at, stride, terms int) A {
		product := 1.0
		for range terms {
			product *= float64(load(src[at]))
			at += stride
		}
		return A(product)
	}
}

func maxLeaf[T any, A number](load func(T) A) func(src []T, at, stride, terms int) A {
	return func(src []T, at, stride, terms int) A {
		m := load(src[at])
		for range terms - 1 {
			at += stride
			m = max(m, load(src[at]))
		}
		return m
	}
}

func minLeaf[T any, A number](load func(T) A) func(src []T, at, stride, terms int) A {
	return func(src []T, at, stride, terms int) A {
		m := load(src[at])
		for range terms - 1 {
			at += stride
			m = min(m, load(src[at]))
		}
		return m
	}
}

func mergeSum[A number](left, right []A) {
	for i, x := range left {
		right[i] = x + right[i]
	}
}

func mergeProd[A number](left, right []A) {
	for i, x := range left {
		right[i] = x * right[i]
	}
}

func mergeMax[A number](left, right []A) {
	for i, x := range left {
		right[i] = max(x, right[i])
	}
}

func mergeMin[A number](left, right []A) {
	for i, x := range left {
		right[i] = min(x, right[i])
	}
}
