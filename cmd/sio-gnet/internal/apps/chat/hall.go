package chat

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds of what guests may do to the server's memory.
const (
	maxName       = 32 // characters, of people and rooms
	maxKey        = 64 // bytes
	maxText       = 2000
	maxImage      = 600_000 // bytes
	maxRooms      = 100
	maxHistory    = 50      // messages of a room
	maxRoomImages = 4 << 20 // bytes of images in a room's history
	maxNamed      = 200     // of a room's members
)

// complaint says what is wrong, in a sentence for the one who did it.
type complaint string

func (c complaint) Error() string { return string(c) }

const (
	errName      complaint = "A name has 1 to 32 characters."
	errKey       complaint = "A key has 1 to 64 characters."
	errNameTaken complaint = "Somebody here has that name already."
	errReplaced  complaint = "You have come in from elsewhere."
	errFull      complaint = "There are too many rooms. Join one of those."
	errElsewhere complaint = "You are not in that room."
	errEmpty     complaint = "There is nothing to send."
	errTooLong   complaint = "A message may have 2000 characters."
	errTooLarge  complaint = "An image may have 600 kB."
	errNoImage   complaint = "Only PNG, JPEG, GIF and WebP images can be shown."
	errImageGone complaint = "That image is no longer kept."
	errTooFast   complaint = "Too fast. Wait a moment."
)

// firstRooms are there from the start, and for good.
var firstRooms = []string{"lobby", "music", "games"}

// hall is the state of the chat: its rooms and the people in them. Its methods
// may be called from any goroutine. Functions passed to them are called with
// the hall locked, so that what they send comes in the order of the changes.
type hall struct {
	mu     sync.Mutex
	rooms  []*room // in the order they were made in
	people map[string]*person
}

type room struct {
	name    string
	kept    bool // for good
	members []*person
	history []post
	images  int // bytes in history
	lastID  int64
	left    time.Time // when it became empty
}

// person is one tab.
type person struct {
	name   string
	key    string
	socket string // its id
	room   *room  // nil before the first
}

// post is a message. An image is not sent along with it, only its type is:
// whoever wants to see it asks for it.
type post struct {
	ID   int64  `json:"id"`
	From string `json:"from"`
	At   int64  `json:"at"` // Unix time in milliseconds
	Text string `json:"text,omitempty"`
	Type string `json:"type,omitempty"` // of the image
	Note string `json:"note,omitempty"` // the sender's own id for the message

	image []byte
	by    string // the key of the sender
}

// roomInfo is what everyone is told of a room.
type roomInfo struct {
	Name  string `json:"name"`
	Count int    `json:"count"` // of members
}

func newHall() *hall {
	h := &hall{people: make(map[string]*person)}
	for _, name := range firstRooms {
		r := newRoom(name)
		r.kept = true
		h.rooms = append(h.rooms, r)
	}
	return h
}

// newRoom numbers its messages from the time on, so that a page which has seen
// an earlier room of that name, or an earlier run of the server, does not take
// new messages for old ones.
func newRoom(name string) *room {
	return &room{name: name, lastID: time.Now().UnixMilli()}
}

// label checks the name of a person or room.
func label(name string) (string, error) {
	name = strings.TrimSpace(name)
	n := utf8.RuneCountInString(name)
	if n < 1 || n > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unprintable) {
		return "", errName
	}
	return name, nil
}

func unprintable(r rune) bool { return r != ' ' && !unicode.IsGraphic(r) }

// check says whether a person can come in under that name, which is returned as
// it will be.
func (h *hall) check(name, key string) (string, error) {
	name, err := label(name)
	if err != nil {
		return "", err
	}
	if key == "" || len(key) > maxKey {
		return "", errKey
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return name, h.free(name, key)
}

func (h *hall) free(name, key string) error {
	for _, other := range h.people {
		if other.key != key && strings.EqualFold(other.name, name) {
			return errNameTaken
		}
	}
	return nil
}

// enter lets a person in, whose name and key were checked. Whoever holds the
// key of someone who is here takes that one's place; replaced is the id of the
// socket that has to go, and from the room that it was in.
func (h *hall) enter(p *person) (replaced, from string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.free(p.name, p.key); err != nil {
		return "", "", err
	}
	if old := h.people[p.key]; old != nil {
		replaced = old.socket
		from = h.remove(old)
	}
	h.people[p.key] = p
	return replaced, from, nil
}

// leave takes a person out, unless that was done before, and returns the room
// that it was in.
func (h *hall) leave(p *person) (from string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.remove(p)
}

func (h *hall) remove(p *person) (from string) {
	if h.people[p.key] == p {
		delete(h.people, p.key)
	}
	return p.quit()
}

// quit takes p out of its room, and returns that one's name.
func (p *person) quit() (from string) {
	r := p.room
	if r == nil {
		return ""
	}
	r.members = slices.DeleteFunc(r.members, func(m *person) bool { return m == p })
	r.left = time.Now()
	p.room = nil
	return r.name
}

// move puts a person into a room, which is made if there is none of that name.
func (h *hall) move(p *person, name string, moved func(from, to string, history []post)) error {
	name, err := label(name)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.people[p.key] != p {
		return errReplaced
	}
	to, err := h.room(name)
	if err != nil {
		return err
	}
	from := p.quit()
	p.room = to
	to.members = append(to.members, p)
	moved(from, to.name, slices.Clone(to.history))
	return nil
}

// room finds or makes a room. When there are too many, the one that has been
// empty for longest goes.
func (h *hall) room(name string) (*room, error) {
	oldest := -1
	for i, r := range h.rooms {
		if r.name == name {
			return r, nil
		}
		if !r.kept && len(r.members) == 0 && (oldest < 0 || r.left.Before(h.rooms[oldest].left)) {
			oldest = i
		}
	}
	if len(h.rooms) >= maxRooms {
		if oldest < 0 {
			return nil, errFull
		}
		h.rooms = slices.Delete(h.rooms, oldest, oldest+1)
	}
	r := newRoom(name)
	h.rooms = append(h.rooms, r)
	return r, nil
}

// post adds a message to the room that its sender is in.
func (h *hall) post(p *person, name string, m post, now time.Time, deliver func(post) error) error {
	if err := m.check(); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	r := p.room
	if r == nil || r.name != name {
		return errElsewhere
	}
	m.by = p.key
	if slices.ContainsFunc(r.history, func(old post) bool { return m.Note != "" && old.by == m.by && old.Note == m.Note }) {
		return nil // it came before; only the answer was lost
	}
	r.lastID++
	m.ID, m.From, m.At = r.lastID, p.name, now.UnixMilli()
	r.keep(m)
	return deliver(m)
}

// check fills in the type of an image, from its bytes: what the sender says it
// is does not count.
func (m *post) check() error {
	if len(m.Note) > maxKey {
		return errTooLong
	}
	if m.image == nil {
		m.Text = strings.TrimSpace(m.Text)
		switch {
		case m.Text == "":
			return errEmpty
		case utf8.RuneCountInString(m.Text) > maxText:
			return errTooLong
		}
		return nil
	}
	switch m.Type = http.DetectContentType(m.image); {
	case len(m.image) > maxImage:
		return errTooLarge
	case m.Type != "image/png" && m.Type != "image/jpeg" && m.Type != "image/gif" && m.Type != "image/webp":
		return errNoImage
	}
	return nil
}

// keep adds m to the history, and drops what is then too much.
func (r *room) keep(m post) {
	r.history = append(r.history, m)
	r.images += len(m.image)
	for len(r.history) > maxHistory {
		r.images -= len(r.history[0].image)
		r.history = slices.Delete(r.history, 0, 1)
	}
	for i := range r.history {
		if r.images <= maxRoomImages {
			return
		}
		r.images -= len(r.history[i].image)
		r.history[i].image = nil
	}
}

// picture returns an image of the history of the room that p is in.
func (h *hall) picture(p *person, name string, id int64) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.room == nil || p.room.name != name {
		return nil, errElsewhere
	}
	for _, m := range p.room.history {
		if m.ID == id && m.image != nil {
			return m.image, nil
		}
	}
	return nil, errImageGone
}

// publish hands over all rooms.
func (h *hall) publish(f func([]roomInfo)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rooms := make([]roomInfo, len(h.rooms))
	for i, r := range h.rooms {
		rooms[i] = roomInfo{r.name, len(r.members)}
	}
	f(rooms)
}

// introduce hands over the names of those who are in a room, up to a bound,
// and how many there are.
func (h *hall) introduce(name string, f func(names []string, count int)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.rooms {
		if r.name != name {
			continue
		}
		names := make([]string, 0, min(len(r.members), maxNamed))
		for _, m := range r.members[:cap(names)] {
			names = append(names, m.name)
		}
		f(names, len(r.members))
	}
}
