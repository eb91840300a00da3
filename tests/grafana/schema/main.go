// Checks dashboards against the schema that Grafana's own types carry: every field known, of the right type, within bounds,
// the options of each kind of panel included. Prints what is wrong; exit status 1 if anything is.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// what turns an empty list of errors, which a strict reading gives for a good dashboard, into none.
func what(err error) error {
	var list cog.BuildErrors
	if errors.As(err, &list) && len(list) == 0 {
		return nil
	}
	return err
}

func main() {
	plugins.RegisterDefaultPlugins()
	wrong := false
	for _, path := range os.Args[1:] {
		text, err := os.ReadFile(path)
		board := dashboard.Dashboard{}
		if err == nil {
			err = what(board.UnmarshalJSONStrict(text))
		}
		if err == nil {
			err = what(board.Validate())
		}
		if err != nil {
			fmt.Printf("%s: %v\n", path, err)
			wrong = true
		}
	}
	if wrong {
		os.Exit(1)
	}
}
