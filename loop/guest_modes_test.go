package loop

import (
	"maps"
	"slices"
	"testing"

	"github.com/sio-gnet/sio-gnet/internal/testhost"
)

// TestAsGuest runs other tests once more, as guests of net/http servers.
func TestAsGuest(t *testing.T) {
	for _, mode := range []testhost.Mode{testhost.Plain, testhost.TLS} {
		for _, name := range slices.Sorted(maps.Keys(guestTests)) {
			t.Run(string(mode)+"/"+name, guestTests[name])
		}
	}
}

var guestTests = map[string]func(*testing.T){
	"TestFramesInAnyPieces":        TestFramesInAnyPieces,
	"TestMessagesOfAllSizes":       TestMessagesOfAllSizes,
	"TestLateAccept":               TestLateAccept,
	"TestPeerCloses":               TestPeerCloses,
	"TestServerCloses":             TestServerCloses,
	"TestPeerIgnoresClose":         TestPeerIgnoresClose,
	"TestAttach":                   TestAttach,
	"TestLargeOutput":              TestLargeOutput,
	"TestLastBytesOfBlockedOutput": TestLastBytesOfBlockedOutput,
	"TestAbortOfBlockedOutput":     TestAbortOfBlockedOutput,
	"TestResetPeer":                TestResetPeer,
	"TestBadHandshakes":            TestBadHandshakes,
	"TestStopWithOutput":           TestStopWithOutput,
	"TestCallsInOnClose":           TestCallsInOnClose,
	"TestDeflateHandshake":         TestDeflateHandshake,
	"TestDeflateSharedFrame":       TestDeflateSharedFrame,
	"TestDeflateBadFrames":         TestDeflateBadFrames,
	"TestResponses":                TestResponses,
}
