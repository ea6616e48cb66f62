package socketio

import (
	"errors"
	"strings"
	"testing"
)

// start decodes text and begins with it.
func start(t *testing.T, a *Assembler, text string) {
	t.Helper()
	p, err := Decode([]byte(text), nil, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start([]byte(text), p, 1000); err != nil {
		t.Fatal(err)
	}
}

// add adds attachments that are not the last, and then the last.
func add(t *testing.T, a *Assembler, attachments ...string) {
	t.Helper()
	for i, s := range attachments {
		done, err := a.Add([]byte(s))
		if last := i == len(attachments)-1; err != nil || done != last || a.Pending() == last {
			t.Fatalf("attachment %d: done %v, pending %v, %v", i, done, a.Pending(), err)
		}
	}
}

const twoPlaceholders = `52-/admin,7["a",{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]]`

func TestAssemblerPutsTogether(t *testing.T) {
	for _, tc := range []struct {
		name, text  string
		attachments []string
	}{
		{"one attachment", `51-["a",{"_placeholder":true,"num":0}]`, []string{"x"}},
		{"two attachments", twoPlaceholders, []string{"x", "yz"}},
		{"an empty attachment", `51-["a",{"_placeholder":true,"num":0}]`, []string{""}},
		{"an acknowledgement", `61-3[{"_placeholder":true,"num":0}]`, []string{"x"}},
		{"ten attachments", `510-["a"]`, strings.Split("0123456789", "")},
		{"an attachment without placeholder", `52-["a",{"_placeholder":true,"num":1}]`, []string{"x", "y"}},
		{"a placeholder twice", `51-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`, []string{"x"}},
		{"attachments that look like packets", `52-["a"]`, []string{`2["b"]`, "51-"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var a Assembler
			for range 2 { // it can be used again
				if a.Pending() {
					t.Fatal("pending from the start")
				}
				start(t, &a, tc.text)
				if !a.Pending() {
					t.Fatal("not pending")
				}
				add(t, &a, tc.attachments...)
				p, attachments, err := a.Take(Limits{})
				if err != nil {
					t.Fatal(err)
				}
				want, err := Decode([]byte(tc.text), nil, Limits{})
				if err != nil || notation(p) != notation(want) {
					t.Errorf("got %s, want %s", notation(p), notation(want))
				}
				if len(attachments) != len(tc.attachments) {
					t.Fatalf("%d attachments", len(attachments))
				}
				for i, b := range attachments {
					if string(b) != tc.attachments[i] || b == nil {
						t.Errorf("attachment %d is %q, nil: %v", i, b, b == nil)
					}
				}
			}
		})
	}
}

func TestAssemblerCopiesWhatItIsGiven(t *testing.T) {
	text := []byte(`51-["a",{"_placeholder":true,"num":0}]`)
	p, err := Decode(text, nil, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var a Assembler
	if err := a.Start(text, p, 1000); err != nil {
		t.Fatal(err)
	}
	clear(text)
	attachment := []byte("x")
	if _, err := a.Add(attachment); err != nil {
		t.Fatal(err)
	}
	clear(attachment)
	p, attachments, err := a.Take(Limits{})
	if err != nil || string(p.Args[0]) != `"a"` || string(attachments[0]) != "x" {
		t.Errorf("got %s with %q, %v", notation(p), attachments, err)
	}

	// What was taken stays as it is with the next packet.
	start(t, &a, `51-["b"]`)
	add(t, &a, "y")
	if _, _, err := a.Take(Limits{}); err != nil || string(p.Args[0]) != `"a"` || string(attachments[0]) != "x" {
		t.Errorf("it became %s with %q, %v", notation(p), attachments, err)
	}
}

func TestAssemblerRefusesBinaryThatIsNotDue(t *testing.T) {
	var a Assembler
	if done, err := a.Add([]byte("x")); done || !errors.Is(err, ErrUnexpectedBinary) {
		t.Errorf("without packet: %v, %v", done, err)
	}
	start(t, &a, `51-["a"]`)
	add(t, &a, "x")
	if done, err := a.Add([]byte("y")); done || !errors.Is(err, ErrUnexpectedBinary) {
		t.Errorf("one too many: %v, %v", done, err)
	}
	if _, attachments, err := a.Take(Limits{}); err != nil || len(attachments) != 1 {
		t.Errorf("%d attachments, %v", len(attachments), err)
	}
	if _, err := a.Add([]byte("z")); !errors.Is(err, ErrUnexpectedBinary) {
		t.Errorf("behind the packet: %v", err)
	}
}

func TestAssemblerWithTooFewAttachments(t *testing.T) {
	var a Assembler
	start(t, &a, twoPlaceholders)
	if done, err := a.Add([]byte("x")); done || err != nil {
		t.Fatalf("%v, %v", done, err)
	}
	if _, _, err := a.Take(Limits{}); !errors.Is(err, ErrIllegalAttachments) {
		t.Errorf("got %v", err)
	}
	if a.Pending() {
		t.Error("still pending")
	}
}

func TestAssemblerTakesNothingOfNothing(t *testing.T) {
	var a Assembler
	if _, attachments, err := a.Take(Limits{}); !errors.Is(err, ErrUnknownType) || attachments != nil {
		t.Errorf("got %q, %v", attachments, err)
	}
}

func TestAssemblerStartsAnew(t *testing.T) {
	var a Assembler
	start(t, &a, twoPlaceholders)
	if _, err := a.Add([]byte("dropped")); err != nil {
		t.Fatal(err)
	}
	start(t, &a, `51-["a"]`)
	add(t, &a, "x")
	if p, attachments, err := a.Take(Limits{}); err != nil || len(attachments) != 1 || string(attachments[0]) != "x" {
		t.Errorf("got %s with %q, %v", notation(p), attachments, err)
	}
}

func TestAssemblerRefusesBadPlaceholders(t *testing.T) {
	for _, tc := range badPlaceholders {
		t.Run(tc.name, func(t *testing.T) {
			var a Assembler
			start(t, &a, `52-["a",{"b":[`+tc.raw+`]}]`)
			add(t, &a, "x", "y")
			if _, _, err := a.Take(Limits{}); !errors.Is(err, ErrIllegalAttachments) {
				t.Errorf("got %v", err)
			}
			if a.Pending() {
				t.Error("still pending")
			}
		})
	}
}

func TestAssemblerLimitsBytes(t *testing.T) {
	text := `52-["a"]`
	p, err := Decode([]byte(text), nil, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name        string
		limit       int
		attachments []string
		fails       int // with which attachment; -1 at the start
	}{
		{"the text is too large", len(text) - 1, nil, -1},
		{"exactly the text", len(text), []string{"", ""}, 2},
		{"exactly all", len(text) + 3, []string{"x", "yz"}, 2},
		{"the first attachment is too large", len(text) + 3, []string{"1234"}, 0},
		{"both attachments are", len(text) + 3, []string{"12", "34"}, 1},
		{"nothing is allowed", 0, nil, -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var a Assembler
			if err := a.Start([]byte(text), p, tc.limit); errors.Is(err, ErrTooLarge) != (tc.fails < 0) {
				t.Fatalf("got %v", err)
			}
			for i, s := range tc.attachments {
				if _, err := a.Add([]byte(s)); errors.Is(err, ErrTooLarge) != (i == tc.fails) {
					t.Errorf("attachment %d: got %v", i, err)
				}
			}
		})
	}
}

func TestAssemblerUsesLimitsAtTheEnd(t *testing.T) {
	var a Assembler
	start(t, &a, `51-["a",[[1]]]`)
	add(t, &a, "x")
	if _, _, err := a.Take(Limits{Depth: 2}); !errors.Is(err, ErrNestingTooDeep) {
		t.Errorf("got %v", err)
	}
}
