package chat

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestNewsGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		n := news{tell: func(rooms []string) {
			slices.Sort(rooms)
			told = append(told, fmt.Sprint(rooms))
		}}
		want := func(want ...string) {
			t.Helper()
			if !slices.Equal(told, want) {
				t.Errorf("told %v, want %v", told, want)
			}
			told = nil
		}
		n.of("a")
		n.of("")
		n.of("b")
		n.of("a")
		time.Sleep(gather - 1)
		synctest.Wait()
		want()
		n.of("c")
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		want("[a b c]")

		time.Sleep(time.Hour)
		synctest.Wait()
		want() // nothing has changed
		n.of("")
		time.Sleep(gather)
		synctest.Wait()
		want("[]")
	})
}
