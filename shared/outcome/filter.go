package outcome

import (
	"strings"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// FilterPrefix is what the names of pullback's subscription filters begin with.
const FilterPrefix = "pullback-"

// FilterName is the name of the subscription filter that hears an alias's
// requests. Neither part has a dot (Lambda API reference, "CreateAlias").
func FilterName(a deploy.Alias) string { return FilterPrefix + a.Function + "." + a.Name }

// AliasOf returns the alias that a subscription filter is for, if it is one of
// pullback's.
func AliasOf(filter string) (deploy.Alias, bool) {
	name, ours := strings.CutPrefix(filter, FilterPrefix)
	function, alias, two := strings.Cut(name, ".")
	return deploy.Alias{Function: function, Name: alias}, ours && two && function != "" && alias != ""
}
