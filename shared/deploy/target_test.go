package deploy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
)

func TestATargetIsReadAsItIsWritten(t *testing.T) {
	tests := map[string]deploy.Target{
		"shop/prod":             {Application: "shop", Group: "prod"},
		"alias:checkout/live":   {Kind: deploy.KindAlias, Application: "checkout", Group: "live"},
		"ecs:main/web":          {Kind: deploy.KindService, Application: "main", Group: "web"},
		"asg:web/blue":          {Kind: deploy.KindScaling, Group: "web/blue"},
		"pipeline:release/prod": {Kind: deploy.KindStage, Application: "release", Group: "prod"},
	}
	kinds := map[deploy.Kind]bool{}
	for text, want := range tests {
		assert.Equal(t, text, want.String())
		got, err := deploy.ParseTarget(text)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		kinds[got.Kind] = true
	}
	assert.Len(t, kinds, len(deploy.Kinds()))
}

func TestATargetNeedsItsNamesAndNoMore(t *testing.T) {
	for _, s := range []string{"", "shop", "/", "shop/", "/prod", "shop/prod/eu", ":shop/prod", "ecs:", "ecs:web", "ecs:a/b/c", "asg:", "k8s:a/b"} {
		_, err := deploy.ParseTarget(s)
		require.ErrorContains(t, err, s)
	}
}

func TestAPlaceIsNamedAfterWhatServes(t *testing.T) {
	group := deploy.Target{Application: "shop", Group: "prod"}
	assert.Equal(t, "checkout:live", deploy.Place{Target: group, Platform: deploy.OnLambda, Alias: deploy.Alias{Function: "checkout", Name: "live"}}.String())
	assert.Equal(t, "shop/prod", deploy.Place{Target: group, Platform: deploy.OnServer}.String())
}
