package socketio

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// decodeErrors are all that Decode may return.
var decodeErrors = []error{
	ErrUnknownType, ErrInvalidPayload, ErrInvalidID, ErrIllegalAttachments, ErrTooManyAttachments, ErrNestingTooDeep, ErrTooManyArgs,
}

// depth returns how deep valid JSON is nested.
func depth(b []byte) int {
	deepest, now, quoted := 0, 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			now++
			deepest = max(deepest, now)
		case c == ']' || c == '}':
			now--
		}
	}
	return deepest
}

// elementsOf returns the elements of a JSON array, nil of anything else.
func elementsOf(tb testing.TB, b []byte) []json.RawMessage {
	tb.Helper()
	var list []json.RawMessage
	if b[0] != '[' {
		return nil
	}
	if err := json.Unmarshal(b, &list); err != nil {
		tb.Fatalf("%q: %v", b, err)
	}
	return list
}

func FuzzDecode(f *testing.F) {
	for _, v := range readVectors(f) {
		f.Add([]byte(v.wire), 0, 0, 0)
	}
	for _, tc := range refused {
		f.Add([]byte(tc.wire), 0, 0, 0)
	}
	for _, tc := range badJSON {
		f.Add([]byte(`2["a",`+tc.value+`]`), 3, 2, 1)
	}
	f.Fuzz(func(t *testing.T, input []byte, attachments, depthLimit, args int) {
		lim := Limits{Attachments: attachments, Depth: min(depthLimit, 5000), Args: args}
		text := bytes.Clone(input)
		p, err := Decode(text, nil, lim)
		if !bytes.Equal(text, input) {
			t.Fatalf("the input became %q", text)
		}
		if err != nil {
			if !slices.ContainsFunc(decodeErrors, func(known error) bool { return errors.Is(err, known) }) {
				t.Errorf("unknown error %v", err)
			}
			return
		}
		checkPacket(t, p, lim.WithDefaults())
		for _, view := range append([][]byte{p.Data}, p.Args...) {
			if !within(view, text) {
				t.Errorf("%q is no view", view)
			}
		}

		again := AppendHeader(nil, p.Type, string(p.Namespace), p.ID, p.HasID, p.Attachments)
		again = append(again, p.Data...)
		q, err := Decode(again, nil, lim)
		if err != nil || !reflect.DeepEqual(p, q) {
			t.Errorf("%+v was written as %q, which is %+v, %v", p, again, q, err)
		}
	})
}

// checkPacket looks at what must hold for every packet.
func checkPacket(t *testing.T, p Packet, lim Limits) {
	t.Helper()
	if p.Type > BinaryAck {
		t.Errorf("type %v", p.Type)
	}
	if p.Type.IsBinary() != (p.Attachments > 0) || p.Attachments > lim.Attachments || p.Attachments < 0 {
		t.Errorf("%v with %d attachments", p.Type, p.Attachments)
	}
	if len(p.Namespace) == 0 || p.Namespace[0] != '/' || bytes.IndexByte(p.Namespace, ',') >= 0 {
		t.Errorf("namespace %q", p.Namespace)
	}
	if p.ID != 0 && !p.HasID || p.Type.IsAck() && !p.HasID {
		t.Errorf("%v with id %d, %v", p.Type, p.ID, p.HasID)
	}
	if p.Data == nil {
		if p.Type != Connect && p.Type != Disconnect {
			t.Errorf("%v without payload", p.Type)
		}
		return
	}
	if !json.Valid(p.Data) || depth(p.Data) > lim.Depth {
		t.Errorf("payload %q", p.Data)
	}
	if !p.Type.IsEvent() && !p.Type.IsAck() {
		if p.Args != nil {
			t.Errorf("%v with arguments %q", p.Type, p.Args)
		}
		return
	}
	want := elementsOf(t, p.Data)
	if len(want) > lim.Args || !slices.EqualFunc(p.Args, want, func(a []byte, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
		t.Errorf("arguments %q of %q", p.Args, p.Data)
	}
	if p.Type.IsEvent() {
		if name, err := EventName(p.Args[0]); err != nil || Reserved(string(name)) {
			t.Errorf("event %q, %v", name, err)
		}
	}
}

// FuzzJSON compares what is accepted as JSON with the standard library.
func FuzzJSON(f *testing.F) {
	for _, tc := range badJSON {
		f.Add([]byte(tc.value))
	}
	for _, v := range readVectors(f) {
		if i := strings.IndexAny(v.wire, `[{"`); i >= 0 {
			f.Add([]byte(v.wire[i:]))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		wire := slices.Concat([]byte(`31[`), raw, []byte(`]`))
		_, err := Decode(wire, nil, Limits{Depth: 10_000, Args: len(wire)})
		if valid := json.Valid(wire[2:]); valid != (err == nil) {
			t.Errorf("%q: valid %v, got %v", wire[2:], valid, err)
		}
	})
}

func FuzzString(f *testing.F) {
	for _, s := range []string{"", "hello", "a\"b\\c/", "\x00\b\f\n\r\t\x1f\x7f", "grüße 日本 😀\u2028", "\xff\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted := AppendString(nil, s)
		want := string([]rune(s)) // each invalid byte is replaced
		var says string
		if err := json.Unmarshal(quoted, &says); err != nil || says != want {
			t.Errorf("%q was written as %s, which says %q, %v", s, quoted, says, err)
		}
		p, err := Decode(slices.Concat([]byte(`31[`), quoted, []byte(`]`)), nil, Limits{})
		if err != nil || len(p.Args) != 1 || !bytes.Equal(p.Args[0], quoted) {
			t.Errorf("%s became %q, %v", quoted, p.Args, err)
		}
		if name, err := EventName(quoted); err != nil || string(name) != want {
			t.Errorf("%s is %q, %v", quoted, name, err)
		}
	})
}

// FuzzEventName reads JSON strings, with any escapes, as the standard library
// does.
func FuzzEventName(f *testing.F) {
	for _, s := range []string{``, `a`, `\"\\\/\b\f\n\r\t`, `\u0041`, `\ud83d\ude00`, `\ud83d`, `\ude00\ud83d`, `\ud83d\n`, "\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		raw := slices.Concat([]byte(`"`), content, []byte(`"`))
		var want string
		if json.Unmarshal(raw, &want) != nil {
			return
		}
		got, err := EventName(raw)
		if err != nil || string([]rune(string(got))) != want {
			t.Errorf("%s: got %q, %v, want %q", raw, got, err, want)
		}
	})
}

func FuzzEncode(f *testing.F) {
	f.Add(byte(Event), "/", uint64(0), false, 0, "a", "b")
	f.Add(byte(BinaryEvent), "/admin", uint64(7), true, 2, "", "\n")
	f.Add(byte(Ack), "/a?b=c", uint64(1)<<63, true, 0, "connect", "x")
	f.Add(byte(BinaryAck), "/😀", uint64(0), true, 10, "", "")
	f.Fuzz(func(t *testing.T, typ byte, ns string, id uint64, hasID bool, attachments int, first, second string) {
		pt := PacketType(typ)
		switch {
		case !pt.IsEvent() && !pt.IsAck(), pt.IsAck() && !hasID, pt.IsEvent() && Reserved(first),
			pt.IsBinary() && attachments <= 0, !strings.HasPrefix(ns, "/"), strings.Contains(ns, ","):
			return // not a packet
		}
		if !hasID {
			id = 0
		}
		if !pt.IsBinary() {
			attachments = 0
		}
		wire := AppendHeader(nil, pt, ns, id, hasID, attachments)
		wire = AppendString(append(wire, '['), first)
		wire = AppendString(append(wire, ','), second)
		wire = append(wire, ']')
		p, err := Decode(wire, nil, Limits{Attachments: 10})
		if attachments > 10 {
			if !errors.Is(err, ErrTooManyAttachments) {
				t.Errorf("%q: got %v", wire, err)
			}
			return
		}
		if err != nil || p.Type != pt || string(p.Namespace) != ns || p.ID != id || p.HasID != hasID || p.Attachments != attachments || len(p.Args) != 2 {
			t.Fatalf("%q became %+v, %v", wire, p, err)
		}
		for i, want := range []string{first, second} {
			if got, err := EventName(p.Args[i]); err != nil || string(got) != string([]rune(want)) {
				t.Errorf("%q: argument %d is %q, %v", wire, i, got, err)
			}
		}
	})
}

// FuzzWalkPlaceholders compares with a plain walk over the tokens of the standard
// library.
func FuzzWalkPlaceholders(f *testing.F) {
	for _, tc := range badPlaceholders {
		f.Add([]byte(`["a",`+tc.raw+`]`), 2)
	}
	for _, v := range readVectors(f) {
		if i := strings.IndexAny(v.wire, `[{`); i >= 0 {
			f.Add([]byte(v.wire[i:]), 10)
		}
	}
	f.Add([]byte(`[ { "num" : 1 , "_placeholder" :true}, {"_placeholder":true,"num":0,"x":[{"_placeholder":true,"num":0}]}]`), 2)
	f.Fuzz(func(t *testing.T, raw []byte, count int) {
		if !json.Valid(raw) || depth(raw) > 128 {
			return // never handed to the walk
		}
		var got []int
		behind := 0
		err := WalkPlaceholders(raw, count, func(start, end, num int) error {
			if start < behind || end > len(raw) || num < 0 || num >= count {
				t.Fatalf("%d at %d to %d behind %d", num, start, end, behind)
			}
			var object map[string]any
			if err := json.Unmarshal(raw[start:end], &object); err != nil || object["_placeholder"] != true {
				t.Fatalf("%s, %v", raw[start:end], err)
			}
			if n, ok := IsPlaceholder(raw[start:end]); ok && n != num {
				t.Fatalf("%s is %d, then %d", raw[start:end], num, n)
			}
			got = append(got, num)
			behind = end
			return nil
		})
		if bytes.IndexByte(raw, '\\') >= 0 {
			return // tokens do not tell how a key is written
		}
		want, ok := placeholdersOf(t, raw, count)
		if !slices.Equal(got, want) || ok != (err == nil) {
			t.Errorf("%s: got %d, %v, want %d, %v", raw, got, err, want, ok)
		}
	})
}

// placeholdersOf returns the nums of the placeholders up to the first that is
// illegal.
func placeholdersOf(tb testing.TB, raw []byte, count int) (nums []int, ok bool) {
	tb.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	token := func() json.Token {
		tok, err := d.Token()
		if err != nil {
			tb.Fatal(err)
		}
		return tok
	}
	// flat reports an object in which nothing is nested, with its last values.
	// Those of the objects in it are found before that, if there are any.
	var value func() (scalar json.Token, flat bool)
	ok = true
	value = func() (json.Token, bool) {
		open := token()
		if open != json.Delim('[') && open != json.Delim('{') {
			return open, true
		}
		flat := true
		last := make(map[string]json.Token)
		for d.More() {
			key := ""
			if open == json.Delim('{') {
				key, _ = token().(string)
			}
			scalar, isScalar := value()
			flat = flat && isScalar
			last[key] = scalar
		}
		token()
		if open == json.Delim('{') && flat && last["_placeholder"] == true && ok {
			num, _ := last["num"].(json.Number)
			var n int
			if json.Unmarshal([]byte(num), &n) != nil || n < 0 || n >= count {
				ok = false
			} else {
				nums = append(nums, n)
			}
		}
		return nil, false
	}
	value()
	return nums, ok
}

// FuzzAssembler adds parts of the input as attachments.
func FuzzAssembler(f *testing.F) {
	for _, v := range readVectors(f) {
		f.Add([]byte(v.wire), []byte("x\x00yz\x00"), 1000)
	}
	f.Add([]byte(twoPlaceholders), []byte("x\x00y"), len(twoPlaceholders)+2)
	f.Add([]byte(twoPlaceholders), []byte("x\x00yz"), len(twoPlaceholders)+2)
	f.Fuzz(func(t *testing.T, text, frames []byte, limit int) {
		p, err := Decode(text, nil, Limits{})
		if err != nil || !p.Type.IsBinary() {
			return
		}
		var a Assembler
		size := len(text)
		if err := a.Start(text, p, limit); err != nil || size > limit {
			if !errors.Is(err, ErrTooLarge) || size <= limit {
				t.Fatalf("%d bytes of %d: %v", size, limit, err)
			}
			return
		}
		var added [][]byte
		for frame := range bytes.SplitSeq(frames, []byte{0}) {
			size += len(frame)
			done, err := a.Add(frame)
			switch {
			case len(added) == p.Attachments:
				if !errors.Is(err, ErrUnexpectedBinary) {
					t.Fatalf("one too many: %v", err)
				}
				size -= len(frame)
				continue
			case err != nil || size > limit:
				if !errors.Is(err, ErrTooLarge) || size <= limit {
					t.Fatalf("%d bytes of %d: %v", size, limit, err)
				}
				return
			}
			added = append(added, frame)
			if done != (len(added) == p.Attachments) || a.Pending() == done {
				t.Fatalf("%d of %d: done %v, pending %v", len(added), p.Attachments, done, a.Pending())
			}
		}
		q, attachments, err := a.Take(Limits{})
		if err != nil {
			if !errors.Is(err, ErrIllegalAttachments) {
				t.Errorf("got %v", err)
			}
			return
		}
		if !reflect.DeepEqual(p, q) || !slices.EqualFunc(attachments, added, bytes.Equal) {
			t.Errorf("got %+v with %q, want %+v with %q", q, attachments, p, added)
		}
		if _, err := a.Add(nil); a.Pending() || !errors.Is(err, ErrUnexpectedBinary) {
			t.Errorf("behind the packet: %v", err)
		}
	})
}
