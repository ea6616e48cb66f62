// Package testkit is what the tests of several packages have in common.
package testkit

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Main runs a package's tests, and fails if they leave goroutines behind.
func Main(m *testing.M) {
	goleak.VerifyTestMain(m,
		// gnet's worker pool, one for the process.
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"))
}

// Eventually waits until a condition holds. It ends a test whose patience is over.
func Eventually(tb testing.TB, patience time.Duration, what string, holds func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("waited in vain for: %s", what)
		}
	}
}
