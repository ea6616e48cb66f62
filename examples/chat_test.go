package examples_test

import (
	"strings"
	"testing"
)

func TestChat(t *testing.T) {
	addr := start(t, "chat")
	ada, id := enterAt(t, addr)
	ada.Send(`421["enter","Ada","lobby"]`)
	ada.Want(`42["here",["Ada"]]`, `431[]`)
	grace, _ := enterAt(t, addr)
	grace.Send(`421["enter","Grace","lobby"]`)
	grace.Want(`42["here",["Ada","Grace"]]`, `431[]`)
	ada.Want(`42["entered","Grace"]`, `42["here",["Ada","Grace"]]`)

	ada.Send(`42["say","hello"]`)
	for name, got := range map[string]string{"Ada": ada.Next(), "Grace": grace.Next()} {
		if !strings.HasPrefix(got, `42["said","Ada","hello",`) {
			t.Errorf("%s got %s", name, got)
		}
	}
	grace.Send(`42["typing"]`)
	ada.Want(`42["typing","Grace"]`)

	// Who enters a room by another's id hears nothing of what is for that one.
	spy, _ := enterAt(t, addr)
	spy.Send(`421["enter","Spy","` + id + `"]`)
	spy.Want(`42["here",["Spy"]]`, `431[]`)
	grace.Close()
	ada.Want(`42["left","Grace"]`, `42["here",["Ada"]]`)
}
