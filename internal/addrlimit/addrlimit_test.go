package addrlimit

import (
	"encoding/binary"
	"math"
	"net/netip"
	"sync"
	"testing"
	"time"
)

var (
	one = netip.MustParseAddr("192.0.2.1")
	two = netip.MustParseAddr("192.0.2.2")
)

func TestKey(t *testing.T) {
	for _, tt := range []struct{ addr, want string }{
		{"192.0.2.1", "192.0.2.1"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
		{"2001:db8:1:2:ffff::%eth0", "2001:db8:1:2::"},
		{"2001:db8:1:3::", "2001:db8:1:3::"},
	} {
		if got := Key(netip.MustParseAddr(tt.addr)); got.String() != tt.want {
			t.Errorf("%s: got %s, want %s", tt.addr, got, tt.want)
		}
	}
	if Key(netip.Addr{}).IsValid() {
		t.Error("no address has a key")
	}
}

func TestCounter(t *testing.T) {
	c := NewCounter(2)
	for i, want := range []bool{true, true, false, false} {
		if got := c.Acquire(one); got != want {
			t.Errorf("the %d. time: %v", i+1, got)
		}
	}
	if !c.Acquire(two) {
		t.Error("another address is refused")
	}
	c.Release(one)
	if !c.Acquire(one) || c.Acquire(one) {
		t.Error("after a release, it is not one more")
	}
	a, b := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
	if !c.Acquire(a) || !c.Acquire(b) || c.Acquire(a) {
		t.Error("a network of IPv6 does not count as one address")
	}
	for _, held := range []netip.Addr{one, one, two, a, b} {
		c.Release(held)
	}
	if n := c.Addresses(); n != 0 {
		t.Errorf("%d addresses are left", n)
	}
}

func TestCounterFromManyGoroutines(t *testing.T) {
	c := NewCounter(3)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				if c.Acquire(one) {
					c.Release(one)
				}
			}
		})
	}
	wg.Wait()
	if n := c.Addresses(); n != 0 {
		t.Errorf("%d addresses are left", n)
	}
}

func TestRate(t *testing.T) {
	start := time.Now()
	r := NewRate(2, 3, start)
	for _, tt := range []struct {
		at, wait time.Duration
	}{
		{0, 0},
		{0, 0},
		{0, 0},
		{0, 500 * time.Millisecond}, // the burst is over
		{100 * time.Millisecond, 400 * time.Millisecond},
		{500 * time.Millisecond, 0},
		{500 * time.Millisecond, 500 * time.Millisecond}, // what was refused costs nothing
		{time.Hour, 0},
		{time.Hour, 0},
		{time.Hour, 0},
		{time.Hour, 500 * time.Millisecond}, // and what was not used is not more than a burst
	} {
		if got := r.Allow(one, start.Add(tt.at)); got != tt.wait {
			t.Errorf("at %v: got %v, want %v", tt.at, got, tt.wait)
		}
	}
	if wait := r.Allow(two, start.Add(time.Hour)); wait != 0 {
		t.Errorf("another address waits %v", wait)
	}
}

func TestNoLimit(t *testing.T) {
	if NewCounter(0) != nil || NewCounter(-1) != nil || NewRate(0, 1, time.Now()) != nil || NewRate(math.NaN(), 1, time.Now()) != nil {
		t.Fatal("a limit of nothing is one")
	}
	var (
		c *Counter
		r *Rate
	)
	for range 100 {
		if !c.Acquire(one) || r.Allow(one, time.Now()) != 0 {
			t.Fatal("no limit refuses")
		}
	}
	c.Release(one)
	if c.Addresses() != 0 || r.Addresses() != 0 {
		t.Error("no limit remembers")
	}
}

func TestExtremeRates(t *testing.T) {
	start := time.Now()
	for _, perSecond := range []float64{1e-300, math.Inf(1), 1e12, math.SmallestNonzeroFloat64} {
		r := NewRate(perSecond, math.MaxInt, start)
		for range 10 {
			if wait := r.Allow(one, start.Add(time.Second)); wait != 0 {
				t.Errorf("%g a second: waits %v within the burst", perSecond, wait)
			}
		}
	}
	r := NewRate(1, -1, start)
	if first, second := r.Allow(one, start), r.Allow(one, start); first != 0 || second != time.Second {
		t.Errorf("without a burst: %v, %v", first, second)
	}
}

// A flood of addresses takes no more memory than a few, and does not make room
// for the one that is over its limit to go on.
func TestRateMemoryIsBounded(t *testing.T) {
	start := time.Now()
	r := NewRate(1, 1000, start)
	for range 1000 {
		r.Allow(one, start)
	}
	var b [4]byte
	for i := range uint32(4 * MaxAddresses) {
		binary.BigEndian.PutUint32(b[:], i)
		if wait := r.Allow(netip.AddrFrom4(b), start); wait != 0 {
			t.Fatalf("address %d waits %v", i, wait)
		}
	}
	if n := r.Addresses(); n > MaxAddresses {
		t.Errorf("%d addresses are remembered", n)
	}
	if wait := r.Allow(one, start); wait == 0 {
		t.Error("the address with the most was forgotten")
	}
	later := start.Add(time.Hour)
	for i := range uint32(MaxAddresses) {
		binary.BigEndian.PutUint32(b[:], 1<<31+i)
		r.Allow(netip.AddrFrom4(b), later)
	}
	if n := r.Addresses(); n > MaxAddresses {
		t.Errorf("%d addresses are remembered", n)
	}
}
