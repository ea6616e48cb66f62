package ids

import (
	"regexp"
	"sync"
	"testing"
)

func TestNewIsUniqueAndURLSafe(t *testing.T) {
	valid := regexp.MustCompile(`^[A-Za-z0-9_-]{20}$`)
	var (
		mu   sync.Mutex
		seen = make(map[string]bool)
		wg   sync.WaitGroup
	)
	for range 4 {
		wg.Go(func() {
			for range 3 * batch {
				id := New()
				mu.Lock()
				if seen[id] || !valid.MatchString(id) {
					t.Errorf("id %q: repeated %v", id, seen[id])
				}
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_ = New()
	}
}
