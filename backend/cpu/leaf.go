package cpu

// leaf folds at least one term for each lane: src[at+lane], src[at+lane+stride], … in an order that depends on their number alone.
type leaf[A number] func(dst, src []A, at int, lanes []int, stride, terms int)

// eachLane returns the leaf that folds a lane by a function.
func eachLane[T number](fold func(src []T, at, stride, terms int) T) leaf[T] {
	return func(dst, src []T, at int, lanes []int, stride, terms int) {
		for i, lane := range lanes {
			dst[i] = fold(src, at+lane, stride, terms)
		}
	}
}

func sumLanes[T float](dst, src []T, at int, lanes []int, stride, terms int) {
	if terms == 1 {
		for i, lane := range lanes {
			dst[i] = 0 + src[at+lane] // like longer sums, never −0
		}
		return
	}
	if terms == 2 {
		for i, lane := range lanes {
			x, y := src[at+lane], src[at+lane+stride]
			dst[i] = T((0 + float64(x)) + (0 + float64(y))) // as sumWide does, in fewer steps
		}
		return
	}
	for i, lane := range lanes {
		dst[i] = sumWide(src, at+lane, stride, terms)
	}
}

func maxLanes[T number](dst, src []T, at int, lanes []int, stride, terms int) {
	for i, lane := range lanes {
		dst[i] = maxLane(src, at+lane, stride, terms)
	}
}

func minLanes[T number](dst, src []T, at int, lanes []int, stride, terms int) {
	for i, lane := range lanes {
		dst[i] = minLane(src, at+lane, stride, terms)
	}
}

// maxLane returns the greatest term. The branch is seldom taken; max, with its care for NaN and zeros, is slow.
func maxLane[T number](src []T, at, stride, terms int) T {
	m, from := src[at], at
	for range terms - 1 {
		from += stride
		if x := src[from]; !(x <= m) {
			m = max(m, x)
		}
	}
	if m != 0 {
		return m
	}
	for range terms { // a zero may be either
		m = max(m, src[at])
		at += stride
	}
	return m
}

func minLane[T number](src []T, at, stride, terms int) T {
	m, from := src[at], at
	for range terms - 1 {
		from += stride
		if x := src[from]; !(x >= m) {
			m = min(m, x)
		}
	}
	if m != 0 {
		return m
	}
	for range terms {
		m = min(m, src[at])
		at += stride
	}
	return m
}

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

// sumWide sums in float64 and rounds once: term i goes to sum i mod 4, which hides the latency of addition.
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

// prodWide multiplies as sumWide sums.
func prodWide[T float](src []T, at, stride, terms int) T {
	p0, p1, p2, p3 := 1.0, 1.0, 1.0, 1.0
	for ; terms >= 4; terms -= 4 {
		p0 *= float64(src[at])
		p1 *= float64(src[at+stride])
		p2 *= float64(src[at+2*stride])
		p3 *= float64(src[at+3*stride])
		at += 4 * stride
	}
	switch terms {
	case 3:
		p2 *= float64(src[at+2*stride])
		fallthrough
	case 2:
		p1 *= float64(src[at+stride])
		fallthrough
	case 1:
		p0 *= float64(src[at])
	}
	return T((p0 * p1) * (p2 * p3))
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
