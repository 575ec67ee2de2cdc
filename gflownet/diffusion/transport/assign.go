package transport

import "math"

// none marks a row or column that is not assigned.
const none = -1

// assignment is a partial assignment with prices under which each assigned row has its cheapest column.
type assignment struct {
	n            int
	cost         []float64
	price        []float64
	colOf, rowOf []int
}

// solve returns the assignment of least total cost. cost is n×n, row-major, finite.
//
// The method is LAPJV (R. Jonker and A. Volgenant, "A shortest augmenting path algorithm for dense and sparse linear assignment
// problems", Computing 38, 1987): cheap steps assign most rows and give good column prices, and each row left is assigned along a
// shortest path in the graph of reduced costs cost[i][j] − price[j]. Only the start differs: see startPrices.
func solve(cost []float64, n int) *assignment {
	s := &assignment{
		n:     n,
		cost:  cost,
		price: startPrices(cost, n),
		colOf: make([]int, n),
		rowOf: make([]int, n),
	}
	free := make([]int, n)
	for i := range n {
		s.colOf[i], s.rowOf[i], free[i] = none, none, i
	}
	for range 2 { // the authors' choice; more passes gain little
		free = s.reduceRows(free)
	}
	s.augment(free)
	return s
}

func (s *assignment) row(i int) []float64 { return s.cost[i*s.n : (i+1)*s.n] }

// startPrices returns prices near the best ones: those of the problem of every fourth row and column, solved likewise, extended to
// each column as the highest at which no row of that problem would rather have it. Of a small problem they are the least cost
// of each column.
//
// Without it, rows that resemble each other outbid one another for the same columns in tiny steps.
func startPrices(cost []float64, n int) []float64 {
	const small, stride = 64, 4
	if n < small {
		return extend(cost, n, 1, make([]float64, n))
	}
	m := n / stride
	sample := make([]float64, 0, m*m)
	for i := range m {
		for j := range m {
			sample = append(sample, cost[i*stride*n+j*stride])
		}
	}
	s := solve(sample, m)
	rowPrice := make([]float64, m)
	for i, j := range s.colOf {
		rowPrice[i] = s.row(i)[j] - s.price[j]
	}
	return extend(cost, n, stride, rowPrice)
}

// extend returns the least of cost[stride·i][j] − rowPrice[i] over i for each column j.
func extend(cost []float64, n, stride int, rowPrice []float64) []float64 {
	price := make([]float64, n)
	for j := range price {
		price[j] = math.Inf(1)
	}
	for i, u := range rowPrice {
		for j, c := range cost[i*stride*n : (i*stride+1)*n] {
			price[j] = min(price[j], c-u)
		}
	}
	return price
}

// reduceRows gives each free row its cheapest column, whose price falls until the second cheapest is as good, and
// takes it from the row that had it. It returns the rows left free.
//
// A row that lost its column is next, as long as prices fall; rounding can make the falls tiny, so their number is limited.
func (s *assignment) reduceRows(free []int) []int {
	if s.n < 2 {
		return free
	}
	var left []int
	budget := 4 * s.n
	for _, i := range free {
		for i != none {
			loser, fell := s.bid(i)
			if budget--; loser != none && (!fell || budget <= 0) {
				left = append(left, loser)
				loser = none
			}
			i = loser
		}
	}
	return left
}

// bid assigns row i and returns the row that lost its column to it, or none, and whether a price fell.
func (s *assignment) bid(i int) (loser int, fell bool) {
	first, second, r1, r2 := s.twoCheapest(i)
	price := s.price[first] - (r2 - r1)
	fell = price < s.price[first]
	switch {
	case fell:
		s.price[first] = price
	case s.rowOf[first] != none:
		first = second // as cheap, and perhaps free
	}
	loser = s.rowOf[first]
	s.colOf[i], s.rowOf[first] = first, i
	if loser != none {
		s.colOf[loser] = none
	}
	return loser, fell
}

// twoCheapest returns the columns of the least two reduced costs of row i, and these costs.
func (s *assignment) twoCheapest(i int) (first, second int, r1, r2 float64) {
	r1, r2 = math.Inf(1), math.Inf(1)
	price := s.price
	for j, c := range s.row(i) {
		r := c - price[j]
		if r >= r2 {
			continue
		}
		if r < r1 {
			first, second, r1, r2 = j, first, r, r1
		} else {
			second, r2 = j, r
		}
	}
	return first, second, r1, r2
}

// augment assigns the free rows, each along a shortest path to a free column.
func (s *assignment) augment(free []int) {
	p := &shortestPaths{
		assignment: s,
		dist:       make([]float64, s.n),
		pred:       make([]int, s.n),
		cols:       make([]int, s.n),
	}
	for j := range p.cols {
		p.cols[j] = j
	}
	for _, i := range free {
		end := p.search(i)
		for row := none; row != i; {
			row = p.pred[end]
			s.rowOf[end] = row
			s.colOf[row], end = end, s.colOf[row]
		}
	}
}

// shortestPaths is Dijkstra's algorithm from a free row. cols is a permutation of the columns in three parts:
//
//	[0, done)      at their final distance, the rows that hold them scanned
//	[done, ready)  at the least distance, to be scanned
//	[ready, n)     at a distance that may still fall
type shortestPaths struct {
	*assignment
	dist []float64 // of each column from the free row
	pred []int     // the row before each column
	cols []int
}

// search returns the free column nearest to row start, and lowers the prices of those nearer still, so that each row on the path to it
// is as well off with the column after it as with the one before.
func (p *shortestPaths) search(start int) int {
	row := p.row(start)
	for j := range p.dist {
		p.dist[j], p.pred[j] = row[j]-p.price[j], start
	}
	done, ready := 0, 0
	for {
		last := done
		ready = p.nearest(ready)
		least := p.dist[p.cols[last]]
		for _, j := range p.cols[last:ready] {
			if p.rowOf[j] == none {
				p.reprice(last, least)
				return j
			}
		}
		for ; done < ready; done++ {
			var end int
			if ready, end = p.scan(p.cols[done], least, ready); end != none {
				p.reprice(last, least)
				return end
			}
		}
	}
}

// nearest moves the columns at the least distance from the part after ready to its front and returns the new bound.
func (p *shortestPaths) nearest(ready int) int {
	start := ready
	least := math.Inf(1)
	for k := start; k < p.n; k++ {
		j := p.cols[k]
		d := p.dist[j]
		if d > least {
			continue
		}
		if d < least {
			least, ready = d, start
		}
		p.cols[k], p.cols[ready] = p.cols[ready], j
		ready++
	}
	return ready
}

// scan shortens distances by way of column j and the row that holds it. Columns that come down to the least distance are moved to
// the part before ready; the first of them that is free is returned.
func (p *shortestPaths) scan(j int, least float64, ready int) (int, int) {
	i := p.rowOf[j]
	row := p.row(i)
	base := row[j] - p.price[j] - least
	for k := ready; k < p.n; k++ {
		j := p.cols[k]
		d := row[j] - p.price[j] - base
		if d >= p.dist[j] {
			continue
		}
		p.dist[j], p.pred[j] = d, i
		if d > least {
			continue
		}
		if p.rowOf[j] == none {
			return ready, j
		}
		p.cols[k], p.cols[ready] = p.cols[ready], j
		ready++
	}
	return ready, none
}

// reprice lowers the prices of the columns done by how much nearer they are than the path's end.
func (p *shortestPaths) reprice(done int, least float64) {
	for _, j := range p.cols[:done] {
		p.price[j] += p.dist[j] - least
	}
}
