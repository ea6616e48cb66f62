package chat

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// someone is in the hall, under a key that is the name's own.
func someone(t *testing.T, h *hall, name string) *person {
	t.Helper()
	p := &person{name: name, key: "key of " + name, socket: "socket of " + name}
	if _, _, err := h.enter(p); err != nil {
		t.Fatal(err)
	}
	return p
}

// join moves p and returns what move handed over.
func join(t *testing.T, h *hall, p *person, room string) (from, to string, history []post) {
	t.Helper()
	err := h.move(p, room, func(f, t string, all []post) { from, to, history = f, t, all })
	if err != nil {
		t.Fatalf("joining %q: %v", room, err)
	}
	return from, to, history
}

// tell posts m to the room that p is in and returns it as it was delivered; nil
// if it was not.
func tell(t *testing.T, h *hall, p *person, m post) *post {
	t.Helper()
	var delivered *post
	err := h.post(p, p.room.name, m, time.UnixMilli(1234), func(m post) error { delivered = &m; return nil })
	if err != nil {
		t.Fatalf("posting: %v", err)
	}
	return delivered
}

// rooms shows all rooms with their numbers of members.
func rooms(h *hall) (shown string) {
	h.publish(func(all []roomInfo) { shown = fmt.Sprint(all) })
	return shown
}

// members shows who is in a room.
func members(h *hall, room string) (shown string) {
	h.introduce(room, func(names []string, count int) { shown = fmt.Sprint(names, " ", count) })
	return shown
}

func wantError(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got error %v, want %v", got, want)
	}
}

// png is an image of n bytes, as far as its type can be told.
func png(n int) []byte { return append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, n-8)...) }

func TestNames(t *testing.T) {
	h := newHall()
	someone(t, h, "Émile")
	for _, tt := range []struct {
		name, key string
		want      string
		err       error
	}{
		{"Anna", "k", "Anna", nil},
		{"  Anna B \t\n", "k", "Anna B", nil},
		{"日本語 🙂", "k", "日本語 🙂", nil},
		{strings.Repeat("é", 32), strings.Repeat("k", 64), strings.Repeat("é", 32), nil},
		{strings.Repeat("é", 33), "k", "", errName},
		{"", "k", "", errName},
		{" \t ", "k", "", errName},
		{"a\nb", "k", "", errName},
		{"a\x00b", "k", "", errName},
		{"a\u202eb", "k", "", errName}, // would turn the text around it
		{"a\u200db", "k", "", errName},
		{"a\xffb", "k", "", errName},
		{"Anna", "", "", errKey},
		{"Anna", strings.Repeat("k", 65), "", errKey},
		{"Émile", "k", "", errNameTaken},
		{" éMILE ", "k", "", errNameTaken},
		{"émile", "key of Émile", "émile", nil},
	} {
		got, err := h.check(tt.name, tt.key)
		if !errors.Is(err, tt.err) || err == nil && got != tt.want {
			t.Errorf("%q with key %q: got %q, %v, want %q, %v", tt.name, tt.key, got, err, tt.want, tt.err)
		}
	}
}

// Two can pass the check at the same time; only the first gets the name.
func TestNameIsTakenOnEntering(t *testing.T) {
	h := newHall()
	someone(t, h, "Anna")
	_, _, err := h.enter(&person{name: "ANNA", key: "another", socket: "late"})
	wantError(t, err, errNameTaken)
	if len(h.people) != 1 {
		t.Errorf("%d people", len(h.people))
	}
}

func TestLeaveFreesTheName(t *testing.T) {
	h := newHall()
	p := someone(t, h, "Anna")
	if from := h.leave(p); from != "" {
		t.Errorf("left %q", from)
	}
	if _, err := h.check("anna", "another"); err != nil {
		t.Error(err)
	}
}

func TestSameKeyReplaces(t *testing.T) {
	h := newHall()
	old := someone(t, h, "Anna")
	join(t, h, old, "lobby")
	p := &person{name: "Anne", key: old.key, socket: "new"}
	if replaced, from, err := h.enter(p); replaced != old.socket || from != "lobby" || err != nil {
		t.Fatalf("replaced %q in %q, %v", replaced, from, err)
	}
	if got := members(h, "lobby"); got != "[] 0" {
		t.Errorf("in the lobby are %s", got)
	}
	// Whoever was replaced can do nothing more, and leaves nothing behind.
	wantError(t, h.move(old, "lobby", nil), errReplaced)
	wantError(t, h.post(old, "lobby", post{Text: "x"}, time.Now(), nil), errElsewhere)
	_, err := h.picture(old, "lobby", 1)
	wantError(t, err, errElsewhere)
	join(t, h, p, "lobby")
	if from := h.leave(old); from != "" {
		t.Errorf("the replaced one left %q", from)
	}
	if got := members(h, "lobby"); got != "[Anne] 1" {
		t.Errorf("in the lobby are %s", got)
	}
}

func TestRoomsAreMadeAndMovedBetween(t *testing.T) {
	h := newHall()
	if got := rooms(h); got != "[{lobby 0} {music 0} {games 0}]" {
		t.Errorf("at first there are %s", got)
	}
	a, b := someone(t, h, "a"), someone(t, h, "b")
	if from, to, history := join(t, h, a, " Go room "); from != "" || to != "Go room" || len(history) > 0 {
		t.Errorf("moved from %q to %q with %v", from, to, history)
	}
	join(t, h, b, "Go room")
	if got := members(h, "Go room"); got != "[a b] 2" {
		t.Errorf("here are %s", got)
	}
	if from, to, _ := join(t, h, a, "lobby"); from != "Go room" || to != "lobby" {
		t.Errorf("moved from %q to %q", from, to)
	}
	if got := rooms(h); got != "[{lobby 1} {music 0} {games 0} {Go room 1}]" {
		t.Errorf("there are %s", got)
	}
	if from, to, _ := join(t, h, a, "lobby"); from != "lobby" || to != "lobby" {
		t.Errorf("moved from %q to %q", from, to)
	}
	if got := members(h, "lobby"); got != "[a] 1" {
		t.Errorf("in the lobby are %s", got)
	}
	if from := h.leave(a); from != "lobby" {
		t.Errorf("left %q", from)
	}
	for _, name := range []string{"", "  ", "a\nb", strings.Repeat("x", 33)} {
		wantError(t, h.move(b, name, nil), errName)
	}
	if got := members(h, "Go room"); got != "[b] 1" {
		t.Errorf("after refusals there are %s", got)
	}
	if got := members(h, "nowhere"); got != "" {
		t.Errorf("in a room that is not there are %s", got)
	}
}

func TestIntroduceIsBounded(t *testing.T) {
	h := newHall()
	for i := range maxNamed + 1 {
		join(t, h, someone(t, h, fmt.Sprint("p", i)), "lobby")
	}
	h.introduce("lobby", func(names []string, count int) {
		if len(names) != maxNamed || count != maxNamed+1 {
			t.Errorf("%d names, count %d", len(names), count)
		}
	})
}

func TestTooManyRooms(t *testing.T) {
	h := newHall()
	a, b := someone(t, h, "a"), someone(t, h, "b")
	for i := range maxRooms - len(firstRooms) {
		join(t, h, a, fmt.Sprint("room ", i))
	}
	// All are empty but the last; the first has been for longest, unless someone
	// has come and gone since.
	join(t, h, b, "room 0")
	join(t, h, b, "lobby")
	old := time.Now()
	for i, r := range h.rooms {
		r.left = old.Add(time.Duration(i) * time.Second) // a clock may be coarse
	}
	h.named(t, "room 0").left = old.Add(time.Hour)
	join(t, h, b, "one more")
	all := rooms(h)
	if len(h.rooms) != maxRooms || strings.Contains(all, "{room 1 ") || !strings.Contains(all, "{room 0 ") || !strings.Contains(all, "{one more 1}") {
		t.Errorf("there are %s", all)
	}
	for _, name := range firstRooms {
		if !strings.Contains(all, "{"+name+" ") {
			t.Errorf("%s has gone", name)
		}
	}

	for i, r := range h.rooms {
		if !r.kept && len(r.members) == 0 {
			join(t, h, someone(t, h, fmt.Sprint("guest ", i)), r.name)
		}
	}
	wantError(t, h.move(someone(t, h, "late"), "yet another", nil), errFull)
	join(t, h, h.people["key of late"], "room 0")
}

func (h *hall) named(t *testing.T, name string) *room {
	t.Helper()
	i := slices.IndexFunc(h.rooms, func(r *room) bool { return r.name == name })
	if i < 0 {
		t.Fatalf("there is no room %q", name)
	}
	return h.rooms[i]
}

func TestPost(t *testing.T) {
	h := newHall()
	a, b := someone(t, h, "a"), someone(t, h, "b")
	wantError(t, h.post(a, "lobby", post{Text: "x"}, time.Now(), nil), errElsewhere)
	join(t, h, a, "lobby")
	wantError(t, h.post(a, "music", post{Text: "x"}, time.Now(), nil), errElsewhere)

	first := tell(t, h, a, post{Text: " hello\n", Note: "n"})
	if first.From != "a" || first.Text != "hello" || first.At != 1234 || first.Note != "n" || first.Type != "" {
		t.Errorf("delivered %+v", first)
	}
	second := tell(t, h, a, post{image: png(8)})
	if second.ID != first.ID+1 || second.Type != "image/png" || second.Text != "" {
		t.Errorf("delivered %+v", second)
	}
	_, _, history := join(t, h, b, "lobby")
	if len(history) != 2 || history[0].Text != "hello" || history[1].ID != second.ID {
		t.Errorf("history %+v", history)
	}
	failed := errors.New("failed")
	wantError(t, h.post(a, "lobby", post{Text: "x"}, time.Now(), func(post) error { return failed }), failed)
}

func TestPostChecks(t *testing.T) {
	for _, tt := range []struct {
		name  string
		m     post
		want  error
		image string // its type
	}{
		{"nothing", post{}, errEmpty, ""},
		{"spaces", post{Text: " \n\t"}, errEmpty, ""},
		{"long text", post{Text: strings.Repeat("é", 2000)}, nil, ""},
		{"too long text", post{Text: strings.Repeat("é", 2001)}, errTooLong, ""},
		{"long note", post{Text: "x", Note: strings.Repeat("n", 64)}, nil, ""},
		{"too long note", post{Text: "x", Note: strings.Repeat("n", 65)}, errTooLong, ""},
		{"PNG", post{image: png(600_000)}, nil, "image/png"},
		{"too large an image", post{image: png(600_001)}, errTooLarge, ""},
		{"JPEG", post{image: []byte("\xff\xd8\xff\xe0")}, nil, "image/jpeg"},
		{"GIF", post{image: []byte("GIF89a")}, nil, "image/gif"},
		{"WebP", post{image: []byte("RIFF\x00\x00\x00\x00WEBPVP8 ")}, nil, "image/webp"},
		{"no bytes", post{image: []byte{}}, errNoImage, ""},
		{"text", post{image: []byte("text")}, errNoImage, ""},
		{"page", post{image: []byte("<html><script>")}, errNoImage, ""},
		{"SVG, which may have scripts", post{image: []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)}, errNoImage, ""},
		{"BMP", post{image: []byte("BM\x00\x00")}, errNoImage, ""},
		{"a type that is claimed", post{Type: "image/png", image: []byte("text")}, errNoImage, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.m.check()
			wantError(t, err, tt.want)
			if err == nil && tt.m.Type != tt.image {
				t.Errorf("type %q, want %q", tt.m.Type, tt.image)
			}
		})
	}
}

// A message that is sent again, because its answer was lost, is there once.
func TestPostAgain(t *testing.T) {
	h := newHall()
	a, b := someone(t, h, "a"), someone(t, h, "b")
	join(t, h, a, "lobby")
	join(t, h, b, "lobby")
	if tell(t, h, a, post{Text: "x", Note: "1"}) == nil {
		t.Error("it was not delivered")
	}
	if m := tell(t, h, a, post{Text: "x", Note: "1"}); m != nil {
		t.Errorf("again was delivered %+v", m)
	}
	// It was the same tab before its connection was lost.
	again := &person{name: "a", key: a.key, socket: "new"}
	if _, _, err := h.enter(again); err != nil {
		t.Fatal(err)
	}
	join(t, h, again, "lobby")
	if m := tell(t, h, again, post{Text: "x", Note: "1"}); m != nil {
		t.Errorf("over another connection was delivered %+v", m)
	}
	for _, other := range []struct {
		p    *person
		note string
	}{{again, "2"}, {b, "1"}, {again, ""}, {again, ""}} {
		if tell(t, h, other.p, post{Text: "x", Note: other.note}) == nil {
			t.Errorf("%s's message with note %q was not delivered", other.p.name, other.note)
		}
	}
}

func TestHistoryIsBounded(t *testing.T) {
	h := newHall()
	a := someone(t, h, "a")
	join(t, h, a, "lobby")
	for i := range maxHistory + 3 {
		tell(t, h, a, post{Text: fmt.Sprint(i)})
	}
	_, _, history := join(t, h, someone(t, h, "b"), "lobby")
	if len(history) != 50 || history[0].Text != "3" || history[49].Text != "52" {
		t.Errorf("%d messages, %q to %q", len(history), history[0].Text, history[len(history)-1].Text)
	}
}

func TestPictures(t *testing.T) {
	h := newHall()
	a := someone(t, h, "a")
	join(t, h, a, "lobby")
	image := png(500)
	image[499] = 7
	m := tell(t, h, a, post{image: image})
	if got, err := h.picture(a, "lobby", m.ID); err != nil || !bytes.Equal(got, image) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	_, err := h.picture(a, "lobby", m.ID+1)
	wantError(t, err, errImageGone)
	text := tell(t, h, a, post{Text: "x"})
	_, err = h.picture(a, "lobby", text.ID)
	wantError(t, err, errImageGone)
	_, err = h.picture(a, "music", m.ID)
	wantError(t, err, errElsewhere)
	join(t, h, a, "music")
	_, err = h.picture(a, "lobby", m.ID)
	wantError(t, err, errElsewhere)
}

// What is over the bound goes from the oldest images on; their messages stay.
func TestImagesAreBounded(t *testing.T) {
	h := newHall()
	a := someone(t, h, "a")
	join(t, h, a, "lobby")
	r := h.named(t, "lobby")
	var ids []int64
	fits := maxRoomImages / maxImage
	for range fits + 2 {
		tell(t, h, a, post{Text: "between"})
		ids = append(ids, tell(t, h, a, post{image: png(maxImage)}).ID)
		held := 0
		for _, m := range r.history {
			held += len(m.image)
		}
		if r.images != held || held > maxRoomImages {
			t.Fatalf("counted %d bytes, and there are %d", r.images, held)
		}
	}
	for i, id := range ids {
		_, err := h.picture(a, "lobby", id)
		if gone := i < 2; gone != errors.Is(err, errImageGone) {
			t.Errorf("image %d of %d: %v", i, len(ids), err)
		}
	}
	if len(r.history) != 2*(fits+2) {
		t.Errorf("%d messages", len(r.history))
	}
	for range maxHistory {
		tell(t, h, a, post{Text: "x"})
	}
	if r.images != 0 {
		t.Errorf("%d bytes counted, with no image left", r.images)
	}
}

// A room that is made again does not repeat its numbers: pages that know the
// earlier one would take new messages for old.
func TestNumbersGoOn(t *testing.T) {
	before := time.Now().UnixMilli()
	if id := newRoom("r").lastID; id < before {
		t.Errorf("numbers begin with %d, at %d", id, before)
	}
}
