package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// report is what is read of mocha's report in JSON.
type report struct {
	Stats struct {
		Passes   int     `json:"passes"`
		Failures int     `json:"failures"`
		Pending  int     `json:"pending"`  // left out by the suite itself
		Duration float64 `json:"duration"` // in ms
	} `json:"stats"`
	Failures []struct {
		Title string `json:"fullTitle"`
		Err   struct {
			Message string `json:"message"`
		} `json:"err"`
	} `json:"failures"`
}

// result is one run of a suite.
type result struct {
	report
	suite      string
	loops, run int
}

// passed says that something was tested and nothing failed.
func (r *result) passed() bool { return r.Stats.Failures == 0 && r.Stats.Passes > 0 }

// printFailures names the tests that failed.
func (r *result) printFailures(out io.Writer) {
	for _, f := range r.Failures {
		fmt.Fprintf(out, "%s, loops %d, run %d: %s: %s\n", r.suite, r.loops, r.run, f.Title, strings.TrimSpace(f.Err.Message))
	}
}

// failedError says how many runs failed.
type failedError struct{ runs, of int }

func (e *failedError) Error() string { return fmt.Sprintf("%d of %d runs failed", e.runs, e.of) }

// printTable prints a line for each suite and number of loops, with its runs
// added up. It returns a [*failedError] if any failed.
func printTable(out io.Writer, all []result) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "suite\tloops\truns\tpassed\tfailed\tleft out\ttime")
	failed := &failedError{of: len(all)}
	for i := 0; i < len(all); {
		first := &all[i]
		var sum result
		runs := 0
		for ; i < len(all) && all[i].suite == first.suite && all[i].loops == first.loops; i++ {
			r := &all[i]
			runs++
			sum.Stats.Passes += r.Stats.Passes
			sum.Stats.Failures += r.Stats.Failures
			sum.Stats.Pending += r.Stats.Pending
			sum.Stats.Duration += r.Stats.Duration
			if !r.passed() {
				failed.runs++
			}
		}
		took := time.Duration(sum.Stats.Duration * float64(time.Millisecond)).Round(time.Second / 10)
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%s\n",
			first.suite, first.loops, runs, sum.Stats.Passes, sum.Stats.Failures, sum.Stats.Pending, took)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if failed.runs > 0 {
		return failed
	}
	return nil
}
