package siotest

import (
	"fmt"
	"slices"
)

// Expect returns the next event of that name, and waits for it if need be. Other
// events are kept.
func (c *Client) Expect(event string) Event {
	c.tb.Helper()
	var (
		got   Event
		found bool
	)
	c.link.await(func() bool {
		if i := slices.IndexFunc(c.events, func(e Event) bool { return e.Name == event }); i >= 0 {
			got, found = c.events[i], true
			c.events = slices.Delete(c.events, i, i+1)
		}
		return found || c.state == stateOver && !c.running
	})
	if !found {
		c.failWaiting(fmt.Sprintf("the event %q", event))
	}
	return got
}

// failWaiting fails the test, and says what came in place of what it waited for.
func (c *Client) failWaiting(what string) {
	c.tb.Helper()
	c.link.mu.Lock()
	state, reason, events := c.state, c.reason, showEvents(c.events)
	c.link.mu.Unlock()
	if state == stateOver {
		c.tb.Fatalf("siotest: waiting for %s, but the client is not connected any more: %s; what came instead: %s", what, reason, events)
	}
	c.tb.Fatalf("siotest: waited %v for %s; what came instead: %s", c.link.patience, what, events)
}

// ExpectNone fails the test if an event of one of these names, or any event if
// there are none, has come and was not asked for, or is on its way. With a server
// in memory it waits as [Server.Wait] does, so no event comes later either unless
// something else happens first. Over a real network, it makes a round trip, and
// what a handler that still runs has not sent yet is missed: let the handler
// acknowledge, and use [Client.Call].
func (c *Client) ExpectNone(events ...string) {
	c.tb.Helper()
	if err := c.link.fence(); err != nil {
		c.tb.Fatalf("siotest: ExpectNone: %v", err)
	}
	c.link.mu.Lock()
	var came []Event
	for _, e := range c.events {
		if len(events) == 0 || slices.Contains(events, e.Name) {
			came = append(came, e)
		}
	}
	c.link.mu.Unlock()
	if len(came) > 0 {
		c.tb.Fatalf("siotest: there should be no such event, but there came: %s", showEvents(came))
	}
}

// ExpectDisconnect waits until the client is not connected any more, and returns
// why.
func (c *Client) ExpectDisconnect() Reason {
	c.tb.Helper()
	var reason Reason
	over := c.link.await(func() bool {
		reason = c.reason
		return c.state == stateOver
	})
	if !over {
		c.failWaiting("the end of the connection")
	}
	return reason
}
