package msgpack

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// field is a field of a struct as encoding/json sees it.
type field struct {
	name      string
	index     []int
	tagged    bool // the name is from the tag
	omitEmpty bool
	omitZero  bool
	quoted    bool // a number or bool as a string
}

// structFields are the fields that count, in order.
type structFields struct {
	list  []field
	index map[string]int
}

// find returns the field for a key, whose case matters only if there are several.
func (s *structFields) find(key []byte) *field {
	if i, ok := s.index[string(key)]; ok {
		return &s.list[i]
	}
	for i := range s.list {
		if strings.EqualFold(s.list[i].name, string(key)) {
			return &s.list[i]
		}
	}
	return nil
}

var knownFields sync.Map // of reflect.Type to *structFields

func fieldsOf(t reflect.Type) *structFields {
	if known, ok := knownFields.Load(t); ok {
		return known.(*structFields)
	}
	s := &structFields{list: dominant(collect(t)), index: make(map[string]int)}
	for i, f := range s.list {
		s.index[f.name] = i
	}
	known, _ := knownFields.LoadOrStore(t, s)
	return known.(*structFields)
}

// embedded is a struct whose fields belong to the one that it is embedded in.
type embedded struct {
	t     reflect.Type
	index []int
}

// collect lists all fields, those of embedded structs level by level. A struct that is
// embedded twice on one level is listed twice, so that its fields cancel each other out.
func collect(t reflect.Type) (all []field) {
	seen := make(map[reflect.Type]bool)
	for level := []embedded{{t: t}}; len(level) > 0; {
		var below []embedded
		for _, e := range level {
			for i := range e.t.NumField() {
				f, inner, ok := fieldAt(e, i)
				switch {
				case !ok:
				case inner == nil:
					all = append(all, f)
				case !seen[inner]:
					below = append(below, embedded{inner, f.index})
				}
			}
		}
		for _, e := range level {
			seen[e.t] = true
		}
		level = slices.DeleteFunc(below, func(e embedded) bool { return seen[e.t] })
	}
	return all
}

// fieldAt looks at one field; inner is set if it stands for the fields of a struct.
func fieldAt(e embedded, i int) (f field, inner reflect.Type, ok bool) {
	sf := e.t.Field(i)
	t := sf.Type
	if t.Kind() == reflect.Pointer && t.Name() == "" {
		t = t.Elem()
	}
	isStruct := sf.Anonymous && t.Kind() == reflect.Struct
	tag := sf.Tag.Get("json")
	if tag == "-" || !sf.IsExported() && !isStruct {
		return f, nil, false
	}
	name, options, _ := strings.Cut(tag, ",")
	f = field{name: name, tagged: name != "", index: append(slices.Clone(e.index), i)}
	if isStruct && name == "" {
		return f, t, true
	}
	if !sf.IsExported() {
		return f, nil, false
	}
	if name == "" {
		f.name = sf.Name
	}
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitempty":
			f.omitEmpty = true
		case "omitzero":
			f.omitZero = true
		case "string":
			f.quoted = quotable(t.Kind())
		}
	}
	return f, nil, true
}

func quotable(k reflect.Kind) bool {
	return k == reflect.Bool || k == reflect.String || k >= reflect.Int && k <= reflect.Float64
}

// dominant picks one field for each name: the least deeply embedded, of these the one
// with a tag, and none if that leaves several.
func dominant(all []field) (picked []field) {
	slices.SortStableFunc(all, func(a, b field) int {
		tagged := 0
		if a.tagged != b.tagged {
			tagged = 1
			if a.tagged {
				tagged = -1
			}
		}
		return cmp.Or(strings.Compare(a.name, b.name), len(a.index)-len(b.index), tagged)
	})
	for i := 0; i < len(all); {
		n := 1
		for i+n < len(all) && all[i+n].name == all[i].name {
			n++
		}
		if n == 1 || len(all[i].index) != len(all[i+1].index) || all[i].tagged != all[i+1].tagged {
			picked = append(picked, all[i])
		}
		i += n
	}
	slices.SortFunc(picked, func(a, b field) int { return slices.Compare(a.index, b.index) })
	return picked
}
