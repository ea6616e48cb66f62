// Package broadcast knows who is in which room. It picks the members that a
// broadcast is for and hands them over lane by lane; a lane is one event loop,
// and gets one task for all its members.
//
// It knows nothing of what is sent, nor how, and never waits: the lock of a
// room is held to copy pointers and to post, not to encode or to write.
package broadcast
