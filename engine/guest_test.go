package engine

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
	"TestConnectionErrors":                 TestConnectionErrors,
	"TestAllowRequest":                     TestAllowRequest,
	"TestAllowRequestEnds":                 TestAllowRequestEnds,
	"TestGenerateID":                       TestGenerateID,
	"TestMiddleware":                       TestMiddleware,
	"TestHeaderHooks":                      TestHeaderHooks,
	"TestCookie":                           TestCookie,
	"TestInitialPacket":                    TestInitialPacket,
	"TestOldBrowsers":                      TestOldBrowsers,
	"TestCloseOnPolling":                   TestCloseOnPolling,
	"TestCloseTimeout":                     TestCloseTimeout,
	"TestCloseOnWebSocket":                 TestCloseOnWebSocket,
	"TestDiscard":                          TestDiscard,
	"TestEnd":                              TestEnd,
	"TestEndInOnOpen":                      TestEndInOnOpen,
	"TestSendAfterClose":                   TestSendAfterClose,
	"TestCloseAll":                         TestCloseAll,
	"TestCloseAllMeetsHandshakes":          TestCloseAllMeetsHandshakes,
	"TestBudgetOfSeveralPackets":           TestBudgetOfSeveralPackets,
	"TestSlowPoller":                       TestSlowPoller,
	"TestSlowSocket":                       TestSlowSocket,
	"TestSendersKeepTheirOrder":            TestSendersKeepTheirOrder,
	"TestHTTPCompression":                  TestHTTPCompression,
	"TestCompressionForNobody":             TestCompressionForNobody,
	"TestNoCORS":                           TestNoCORS,
	"TestCORSOnEveryAnswer":                TestCORSOnEveryAnswer,
	"TestPreflight":                        TestPreflight,
	"TestOpenPacket":                       TestOpenPacket,
	"TestHandshakeOverPolling":             TestHandshakeOverPolling,
	"TestHandshakeOverWebSocket":           TestHandshakeOverWebSocket,
	"TestMessagesOfOnOpen":                 TestMessagesOfOnOpen,
	"TestRefusedRequests":                  TestRefusedRequests,
	"TestRefusedUpgrades":                  TestRefusedUpgrades,
	"TestTransportsSwitchedOff":            TestTransportsSwitchedOff,
	"TestHandshakeAfterCloseAll":           TestHandshakeAfterCloseAll,
	"TestWebSocketHandshakeHeaders":        TestWebSocketHandshakeHeaders,
	"TestOrigin":                           TestOrigin,
	"TestPingIsAnswered":                   TestPingIsAnswered,
	"TestPingOnPolling":                    TestPingOnPolling,
	"TestOnlyPongIsAnAnswer":               TestOnlyPongIsAnAnswer,
	"TestUnsolicitedPong":                  TestUnsolicitedPong,
	"TestOverdueHeartbeat":                 TestOverdueHeartbeat,
	"TestSessionHooks":                     TestSessionHooks,
	"TestDrained":                          TestDrained,
	"TestReprieve":                         TestReprieve,
	"TestHostileFrames":                    TestHostileFrames,
	"TestHostilePayloads":                  TestHostilePayloads,
	"TestBadUTF8OnPolling":                 TestBadUTF8OnPolling,
	"TestHalfRequests":                     TestHalfRequests,
	"TestPanickingReceiver":                TestPanickingReceiver,
	"TestManyCandidates":                   TestManyCandidates,
	"TestRequestsMeetClose":                TestRequestsMeetClose,
	"TestHandshakesPerSecond":              TestHandshakesPerSecond,
	"TestHandshakesPerSecondOverWebSocket": TestHandshakesPerSecondOverWebSocket,
	"TestMaxSessionsPerAddress":            TestMaxSessionsPerAddress,
	"TestMaxSessionsPerAddressBehindProxy": TestMaxSessionsPerAddressBehindProxy,
	"TestCloseMeetsMove":                   TestCloseMeetsMove,
	"TestPollingMessages":                  TestPollingMessages,
	"TestPollingPayload":                   TestPollingPayload,
	"TestPollAnswerHeader":                 TestPollAnswerHeader,
	"TestWaitingPoll":                      TestWaitingPoll,
	"TestVolatileOnPolling":                TestVolatileOnPolling,
	"TestDeliver":                          TestDeliver,
	"TestTwoPollsAtOnce":                   TestTwoPollsAtOnce,
	"TestRefusedPostLeavesNothing":         TestRefusedPostLeavesNothing,
	"TestTwoPostsAtOnce":                   TestTwoPostsAtOnce,
	"TestSlowPost":                         TestSlowPost,
	"TestPollCutByClient":                  TestPollCutByClient,
	"TestPollAgainAfterCut":                TestPollAgainAfterCut,
	"TestPostCutByClient":                  TestPostCutByClient,
	"TestPostCutByServer":                  TestPostCutByServer,
	"TestRefusedPost":                      TestRefusedPost,
	"TestLargePost":                        TestLargePost,
	"TestChunkedPost":                      TestChunkedPost,
	"TestBadPayload":                       TestBadPayload,
	"TestLenientBase64":                    TestLenientBase64,
	"TestContentTypeOfPost":                TestContentTypeOfPost,
	"TestClosePacketOnPolling":             TestClosePacketOnPolling,
	"TestPollBehindClosePacket":            TestPollBehindClosePacket,
	"TestNothingBehindClosePacket":         TestNothingBehindClosePacket,
	"TestPacketsWithoutEffect":             TestPacketsWithoutEffect,
	"TestOtherMethodsOnSession":            TestOtherMethodsOnSession,
	"TestPipelinedRequests":                TestPipelinedRequests,
	"TestPollingAcrossLoops":               TestPollingAcrossLoops,
	"TestSeparatorInText":                  TestSeparatorInText,
	"TestProtocol3IsOff":                   TestProtocol3IsOff,
	"TestProtocolMismatch":                 TestProtocolMismatch,
	"TestPolling3":                         TestPolling3,
	"TestBadPayload3":                      TestBadPayload3,
	"TestJSONP":                            TestJSONP,
	"TestWebSocket3":                       TestWebSocket3,
	"TestHeartbeat3":                       TestHeartbeat3,
	"TestPingTimeout3":                     TestPingTimeout3,
	"TestUpgrade3":                         TestUpgrade3,
	"TestClose3":                           TestClose3,
	"TestUpgrade":                          TestUpgrade,
	"TestUpgradeInOneGo":                   TestUpgradeInOneGo,
	"TestUpgradeEndsWaitingPoll":           TestUpgradeEndsWaitingPoll,
	"TestPollBesideEndOfUpgrade":           TestPollBesideEndOfUpgrade,
	"TestPollingDuringProbe":               TestPollingDuringProbe,
	"TestFailedProbe":                      TestFailedProbe,
	"TestUpgradeTimeout":                   TestUpgradeTimeout,
	"TestSecondCandidate":                  TestSecondCandidate,
	"TestUpgradeSwitchedOff":               TestUpgradeSwitchedOff,
	"TestCloseDuringProbe":                 TestCloseDuringProbe,
	"TestUpgradeWhileClosing":              TestUpgradeWhileClosing,
	"TestWebSocketLostWithUpgrade":         TestWebSocketLostWithUpgrade,
	"TestBadPacketRightAfterUpgrade":       TestBadPacketRightAfterUpgrade,
	"TestWebSocketMessages":                TestWebSocketMessages,
	"TestManyFramesInOneWrite":             TestManyFramesInOneWrite,
	"TestFragmentedMessage":                TestFragmentedMessage,
	"TestGroupOfMessages":                  TestGroupOfMessages,
	"TestMessageSize":                      TestMessageSize,
	"TestWebSocketEndsByClient":            TestWebSocketEndsByClient,
	"TestBadWebSocketPackets":              TestBadWebSocketPackets,
	"TestCloseByServerOnWebSocket":         TestCloseByServerOnWebSocket,
	"TestRequestsForWebSocketSession":      TestRequestsForWebSocketSession,
	"TestReactorStopEndsSession":           TestReactorStopEndsSession,
}

// plainGuestTests are those that need the client's own connection, or the event loops'
// ways with it.
var plainGuestTests = map[string]func(*testing.T){
	"TestVolatileOnBlockedSocket": TestVolatileOnBlockedSocket,
	"TestRequestInfo":             TestRequestInfo,
	"TestClientAddress":           TestClientAddress,
	"TestSendersDuringMove":       TestSendersDuringMove,
	"TestBroadcastsDuringMove":    TestBroadcastsDuringMove,
}
