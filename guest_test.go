package sio_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/sio-gnet/sio-gnet/internal/testhost"
)

// TestAsGuest runs other tests once more, as guests of net/http servers. Left out are
// those of what is different there, such as malformed HTTP.
func TestAsGuest(t *testing.T) {
	for _, mode := range []testhost.Mode{testhost.Plain, testhost.TLS} {
		for _, name := range slices.Sorted(maps.Keys(guestTests)) {
			t.Run(string(mode)+"/"+name, guestTests[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(plainGuestTests)) {
		t.Run(string(testhost.Plain)+"/"+name, plainGuestTests[name])
	}
}

var guestTests = map[string]func(*testing.T){
	"TestOverlappingPosts":            TestOverlappingPosts,
	"TestAck":                         TestAck,
	"TestAckThatIsKept":               TestAckThatIsKept,
	"TestAckAfterTheEnd":              TestAckAfterTheEnd,
	"TestEmitWithAck":                 TestEmitWithAck,
	"TestEmitAck":                     TestEmitAck,
	"TestReplyOutlivesItsTurn":        TestReplyOutlivesItsTurn,
	"TestEmitBinary":                  TestEmitBinary,
	"TestReceiveBinary":               TestReceiveBinary,
	"TestEmitJSON":                    TestEmitJSON,
	"TestBroadcast":                   TestBroadcast,
	"TestRooms":                       TestRooms,
	"TestNamespacesAreApart":          TestNamespacesAreApart,
	"TestBroadcastOfBinary":           TestBroadcastOfBinary,
	"TestOrderOfEmits":                TestOrderOfEmits,
	"TestSlowClientInABroadcast":      TestSlowClientInABroadcast,
	"TestConnect":                     TestConnect,
	"TestConnectToUnknownNamespace":   TestConnectToUnknownNamespace,
	"TestMiddleware":                  TestMiddleware,
	"TestMiddlewareThatBlocks":        TestMiddlewareThatBlocks,
	"TestConnectionHandler":           TestConnectionHandler,
	"TestDisconnectByClient":          TestDisconnectByClient,
	"TestDisconnectByServer":          TestDisconnectByServer,
	"TestConnectTimeout":              TestConnectTimeout,
	"TestMaxNamespaces":               TestMaxNamespaces,
	"TestViolations":                  TestViolations,
	"TestViolationBeforeConnect":      TestViolationBeforeConnect,
	"TestManyClientsAtOnce":           TestManyClientsAtOnce,
	"TestPerMessageDeflate":           TestPerMessageDeflate,
	"TestClientFiles":                 TestClientFiles,
	"TestClientFilesRevalidation":     TestClientFilesRevalidation,
	"TestClientFilesCompressed":       TestClientFilesCompressed,
	"TestClientFilesUnderAnotherPath": TestClientFilesUnderAnotherPath,
	"TestNoClientFiles":               TestNoClientFiles,
	"TestHandlerForOtherPaths":        TestHandlerForOtherPaths,
	"TestUpgradeOffThePath":           TestUpgradeOffThePath,
	"TestHandlerThatPanics":           TestHandlerThatPanics,
	"TestOrderOfEvents":               TestOrderOfEvents,
	"TestEventsBeforeTheEnd":          TestEventsBeforeTheEnd,
	"TestBacklog":                     TestBacklog,
	"TestLegacyConnect":               TestLegacyConnect,
	"TestLegacyRefusedRoot":           TestLegacyRefusedRoot,
	"TestLegacyIsOff":                 TestLegacyIsOff,
	"TestClientAddressBehindProxies":  TestClientAddressBehindProxies,
	"TestShutdownInBoundedTime":       TestShutdownInBoundedTime,
	"TestClose":                       TestClose,
	"TestDisconnectReasons":           TestDisconnectReasons,
}

// plainGuestTests are those that need the client's own connection, or the event loops'
// ways with it.
var plainGuestTests = map[string]func(*testing.T){
	"TestHandshake":                            TestHandshake,
	"TestEchoAllocatesNothing":                 TestEchoAllocatesNothing,
	"TestBroadcastAllocatesNothingPerReceiver": TestBroadcastAllocatesNothingPerReceiver,
	"TestGoroutinesDoNotGrowWithClients":       TestGoroutinesDoNotGrowWithClients,
}
