package scenario

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds a scenario file in bytes.
const maxFile = 1 << 20

// ReadFile reads a scenario file: several parts that run at once.
//
//	clients: 1000        # of all parts together, by their weights
//	rate: 5000           # likewise; a part may have its own
//	parts:
//	  - scenario: echo
//	    weight: 3
//	  - scenario: rooms
//	    room-size: 20
//
// Errors name the file, the line and the column.
func ReadFile(path string) ([]Part, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file
	}
	defer f.Close() //nolint:errcheck // it was only read
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file
	}
	if len(b) > maxFile {
		return nil, fmt.Errorf("%s: more than %d bytes", path, maxFile)
	}
	parts, err := parseFile(b)
	var at *fileError
	switch {
	case errors.As(err, &at):
		return nil, fmt.Errorf("%s:%d:%d: %s", path, at.line, at.column, at.text)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return parts, nil
}

// fileError says what is wrong, and where.
type fileError struct {
	line, column int
	text         string
}

func (e *fileError) Error() string { return fmt.Sprintf("%d:%d: %s", e.line, e.column, e.text) }

func wrong(n *yaml.Node, format string, args ...any) error {
	return &fileError{n.Line, n.Column, fmt.Sprintf(format, args...)}
}

// weighted is a part as the file has it.
type weighted struct {
	Part

	node   *yaml.Node
	weight float64
}

func parseFile(b []byte) ([]Part, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return nil, err //nolint:wrapcheck // it says all there is
	}
	if len(doc.Content) == 0 {
		return nil, errors.New("it is empty")
	}
	var (
		clients int
		rate    float64
		list    []weighted
	)
	root := doc.Content[0]
	err := fields(root, map[string]func(n *yaml.Node) error{
		"clients": intField(&clients),
		"rate":    floatField(&rate),
		"parts": func(n *yaml.Node) error {
			if n.Kind != yaml.SequenceNode {
				return wrong(n, "parts must be a list")
			}
			for _, item := range n.Content {
				p, err := parsePart(item)
				if err != nil {
					return err
				}
				list = append(list, p)
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, wrong(root, "there are no parts")
	}
	return share(root, list, clients, rate)
}

func parsePart(n *yaml.Node) (weighted, error) {
	w := weighted{node: n, weight: 1}
	kind, storm := "", ""
	var stormNode *yaml.Node
	err := fields(n, map[string]func(n *yaml.Node) error{
		"name":      stringField(&w.Name),
		"scenario":  stringField(&kind),
		"weight":    floatField(&w.weight),
		"clients":   intField(&w.Clients),
		"rate":      floatField(&w.Rate),
		"window":    intField(&w.Window),
		"size":      intField(&w.Size),
		"binary":    boolField(&w.Binary),
		"event":     stringField(&w.Event),
		"answer":    stringField(&w.Answer),
		"senders":   intField(&w.Senders),
		"room-size": intField(&w.RoomSize),
		"storm": func(n *yaml.Node) error {
			stormNode = n
			return stringField(&storm)(n)
		},
	})
	if err != nil {
		return w, err
	}
	w.Kind = Kind(kind)
	known := false
	for _, k := range Kinds {
		known = known || k == w.Kind
	}
	if !known {
		return w, wrong(n, "scenario must be one of %v, not %q", Kinds, kind)
	}
	if storm != "" {
		if w.Storm, err = time.ParseDuration(storm); err != nil {
			return w, wrong(stormNode, "storm must be a time such as 5s, not %q", storm)
		}
	}
	if !(w.weight > 0) || w.weight > 1e6 {
		return w, wrong(n, "weight must be positive, not %v", w.weight)
	}
	return w, nil
}

// share gives the clients and the rate of the file to the parts that have none of their
// own.
func share(root *yaml.Node, list []weighted, clients int, rate float64) (parts []Part, err error) {
	if clients < 0 || clients > MaxClients {
		return nil, wrong(root, "clients must be from 1 to %d, not %d", MaxClients, clients)
	}
	if !(rate >= 0) || rate > MaxRate {
		return nil, wrong(root, "rate must be from 0 to %.0f, not %v", MaxRate, rate)
	}
	var forClients, forRate float64
	for i := range list {
		w := &list[i]
		if w.Clients == 0 {
			forClients += w.weight
		}
		if w.takesRate() {
			forRate += w.weight
		}
	}
	names := make(map[string]bool)
	left, weightLeft := clients, forClients
	for i := range list {
		w := &list[i]
		if w.Clients == 0 {
			if clients == 0 {
				return nil, wrong(w.node, "neither this part nor the file says how many clients there are")
			}
			w.Clients = int(float64(left)*w.weight/weightLeft + 0.5)
			left, weightLeft = left-w.Clients, weightLeft-w.weight
		}
		if w.takesRate() && rate > 0 {
			w.Rate = rate * w.weight / forRate
		}
		p := w.WithDefaults()
		for n, base := 2, p.Name; names[p.Name]; n++ {
			p.Name = base + strconv.Itoa(n)
		}
		names[p.Name] = true
		if err := p.Check(); err != nil {
			return nil, wrong(w.node, "%v", err)
		}
		if !partName(p.Name) {
			return nil, wrong(w.node, "name must be of letters, digits, _ and -, and not lag, not %q", p.Name)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// takesRate says whether the part has a share of the file's rate.
func (w *weighted) takesRate() bool {
	return w.Rate == 0 && w.Window == 0 && w.Kind != Idle && w.Kind != Connect
}

// partName says whether thresholds can name a part.
func partName(s string) bool {
	for _, c := range s {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return s != "" && s != "lag"
}

// fields calls the function of each key of a map.
func fields(n *yaml.Node, known map[string]func(n *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return wrong(n, "a map of keys and values is wanted here")
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		set, ok := known[key.Value]
		if !ok {
			return wrong(key, "unknown key %q", key.Value)
		}
		if seen[key.Value] {
			return wrong(key, "key %q is there twice", key.Value)
		}
		seen[key.Value] = true
		if err := set(value); err != nil {
			return err
		}
	}
	return nil
}

func intField(to *int) func(n *yaml.Node) error {
	return func(n *yaml.Node) error {
		if n.Tag != "!!int" || n.Decode(to) != nil {
			return wrong(n, "a whole number is wanted, not %q", n.Value)
		}
		return nil
	}
}

func floatField(to *float64) func(n *yaml.Node) error {
	return func(n *yaml.Node) error {
		if n.Tag != "!!int" && n.Tag != "!!float" || n.Decode(to) != nil {
			return wrong(n, "a number is wanted, not %q", n.Value)
		}
		return nil
	}
}

func boolField(to *bool) func(n *yaml.Node) error {
	return func(n *yaml.Node) error {
		if n.Tag != "!!bool" || n.Decode(to) != nil {
			return wrong(n, "true or false is wanted, not %q", n.Value)
		}
		return nil
	}
}

func stringField(to *string) func(n *yaml.Node) error {
	return func(n *yaml.Node) error {
		if n.Kind != yaml.ScalarNode {
			return wrong(n, "a text is wanted")
		}
		*to = n.Value
		return nil
	}
}
