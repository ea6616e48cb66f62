package engine

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestUpgradeInterleaving shows E72, E73, E74 and E98: whatever the order in
// which polls, posts, the probe and the server's messages come, each message
// arrives once and in order. A seed decides on the order of steps; INTERLEAVE_SEED
// repeats one, INTERLEAVE_SEEDS tries that many.
func TestUpgradeInterleaving(t *testing.T) {
	first, count := uint64(1), uint64(150)
	if testing.Short() {
		count = 30
	}
	if s := os.Getenv("INTERLEAVE_SEEDS"); s != "" {
		count, _ = strconv.ParseUint(s, 10, 64)
	}
	if s := os.Getenv("INTERLEAVE_SEED"); s != "" {
		first, _ = strconv.ParseUint(s, 10, 64)
		count = 1
	}
	f := serve(t, twoLoops, withEIO3, silent)
	for seed := first; seed < first+count; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			d := &interleaver{t: t, f: f, random: rand.New(rand.NewPCG(seed, 0))}
			d.run()
		})
	}
}

// interleaver is a client that takes one step after the other in an order of
// chance, within what a client may do.
type interleaver struct {
	t      *testing.T
	f      *fixture
	c      *poller
	random *rand.Rand

	ws                      *wsConn
	getOpen, postOpen       bool // a request is under way
	answered, upgraded      bool
	sentOut, gotOut, sentIn int // numbered messages of the server, and of the client
	upgradeAttempts         int
}

// step is something that may be done at times.
type step struct {
	may bool
	do  func()
}

func (d *interleaver) run() {
	d.c = d.f.poll(d.t)
	for range 40 {
		d.one()
	}
	for !d.upgraded || d.gotOut < d.sentOut {
		if d.upgraded {
			d.readFrame()
			continue
		}
		d.one()
	}
	want := make([]string, d.sentIn)
	for i := range want {
		want[i] = strconv.Itoa(i)
	}
	d.c.wantReceived(d.t, want...)
	d.ws.wantQuiet("3")
	d.c.Discard()
	d.c.wantClosed(d.t, ForcedClose, nil)
}

// one takes one of the steps that are possible.
func (d *interleaver) one() {
	polling := !d.upgraded && !d.answered // a client that has its probe's answer begins nothing more by polling
	steps := []step{
		{true, d.serverSends},
		{polling && !d.getOpen, d.get},
		{d.getOpen && (d.gotOut < d.sentOut || d.answered), d.readGet},
		{polling && !d.postOpen, d.post},
		{d.postOpen, d.readPost},
		{!d.upgraded && d.ws == nil, d.probe},
		{!d.upgraded && d.ws != nil && !d.answered, d.readProbe},
		{!d.upgraded && d.answered && d.upgradeAttempts < 2 && !d.getOpen, d.giveUp},
		{!d.upgraded && d.answered && !d.getOpen && !d.postOpen, d.upgrade},
		{d.upgraded, d.writeFrames},
		{d.upgraded && d.gotOut < d.sentOut, d.readFrame},
	}
	possible := steps[:0]
	for _, s := range steps {
		if s.may {
			possible = append(possible, s)
		}
	}
	possible[d.random.IntN(len(possible))].do()
}

func (d *interleaver) serverSends() {
	for range 1 + d.random.IntN(3) {
		d.c.send(d.t, strconv.Itoa(d.sentOut))
		d.sentOut++
	}
}

func (d *interleaver) get() {
	d.c.get.send(http.MethodGet, d.c.target, "")
	d.getOpen = true
}

func (d *interleaver) readGet() {
	a := d.c.get.receive()
	d.getOpen = false
	if a.status != 200 {
		d.t.Fatalf("poll: %v", a)
	}
	for packet := range strings.SplitSeq(a.body, "\x1e") {
		d.take(packet)
	}
}

// take checks a packet of the server.
func (d *interleaver) take(packet string) {
	switch packet {
	case "6":
	case "4" + strconv.Itoa(d.gotOut):
		d.gotOut++
	default:
		d.t.Fatalf("got packet %q, want message %d", packet, d.gotOut)
	}
}

// messages makes numbered messages of the client.
func (d *interleaver) messages() []string {
	packets := make([]string, 1+d.random.IntN(3))
	for i := range packets {
		packets[i] = "4" + strconv.Itoa(d.sentIn)
		d.sentIn++
	}
	return packets
}

func (d *interleaver) post() {
	d.c.post.send(http.MethodPost, d.c.target, strings.Join(d.messages(), "\x1e"))
	d.postOpen = true
}

func (d *interleaver) readPost() {
	d.c.post.want(200, "ok")
	d.postOpen = false
}

func (d *interleaver) probe() {
	d.ws = d.f.websocket(d.t, strings.Replace(d.c.target, "polling", "websocket", 1), nil)
	d.ws.write("2probe")
}

func (d *interleaver) readProbe() {
	d.ws.want("3probe")
	d.answered = true
}

// giveUp ends the attempt, in one of the ways in which it can fail.
func (d *interleaver) giveUp() {
	d.upgradeAttempts++
	if d.random.IntN(2) == 0 {
		d.ws.write("4not now")
		d.ws.want("close:")
	} else {
		d.ws.conn.Close()
	}
	d.c.eventually(d.t, "the end of the attempt", func() bool { return d.c.polling.candidate == nil })
	d.ws, d.answered = nil, false
}

// upgrade goes over, with messages right behind.
func (d *interleaver) upgrade() {
	packets := []string{"5"}
	if d.random.IntN(2) == 0 {
		packets = append(packets, d.messages()...)
	}
	d.ws.write(packets...)
	d.upgraded = true
}

func (d *interleaver) writeFrames() { d.ws.write(d.messages()...) }

func (d *interleaver) readFrame() { d.take(d.ws.next()) }

// wantQuiet shows that nothing more is on its way: the answer to an unknown
// control frame comes first.
func (c *wsConn) wantQuiet(mark string) {
	c.tb.Helper()
	c.writeRaw(clientFrame(9, mark))
	c.want("pong:" + mark)
}
