package engine

import (
	"fmt"
	"log/slog"
	"runtime/debug"
)

// guarded returns hooks whose panics are logged, and end nothing: they are called
// in the middle of what an event loop does to a session, which must come to its
// end.
func (h Hooks) guarded(log *slog.Logger) Hooks {
	return Hooks{
		ConnectionError: guard1(log, h.ConnectionError),
		InitialHeaders:  guard2(log, h.InitialHeaders),
		Headers:         guard2(log, h.Headers),
		Packet:          guard2(log, h.Packet),
		PacketCreate:    guard2(log, h.PacketCreate),
		Flush:           guard1(log, h.Flush),
		Drain:           guard1(log, h.Drain),
		Heartbeat:       guard1(log, h.Heartbeat),
		Upgrading:       guard1(log, h.Upgrading),
		Upgrade:         guard1(log, h.Upgrade),
		Close:           guardClose(log, h.Close),
	}
}

func guard1[A any](log *slog.Logger, f func(A)) func(A) {
	if f == nil {
		return nil
	}
	return func(a A) {
		defer recoverHook(log)
		f(a)
	}
}

func guard2[A, B any](log *slog.Logger, f func(A, B)) func(A, B) {
	if f == nil {
		return nil
	}
	return func(a A, b B) {
		defer recoverHook(log)
		f(a, b)
	}
}

func guardClose(log *slog.Logger, f func(*Session, CloseReason, error)) func(*Session, CloseReason, error) {
	if f == nil {
		return nil
	}
	return func(s *Session, reason CloseReason, err error) {
		defer recoverHook(log)
		f(s, reason, err)
	}
}

// recoverHook is deferred around hooks.
func recoverHook(log *slog.Logger) {
	if v := recover(); v != nil {
		log.Error("engine: panic in hook", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	}
}
