package train

import (
	"fmt"

	"github.com/weir-ml/weir/gflownet/diffusion"
)

// policies returns the settings of both policies; those of the backward one say nothing where it is the bridge.
func (c Config) policies() (pf, pb diffusion.PolicyConfig) {
	pf = diffusion.PolicyConfig{
		Net: c.Net, LearnVariance: c.LearnVariance || c.DiagonalVariance, Diagonal: c.DiagonalVariance, Scaled: c.Scaled,
		Clip: c.Clip, LogVarRange: c.LogVarRange,
	}
	pb = diffusion.PolicyConfig{
		Net: c.Net, LearnVariance: c.LearnPB == LearnPBMeanVariance || c.LearnPB == LearnPBMeanDiagonal, Diagonal: c.LearnPB == LearnPBMeanDiagonal,
		ScaleRange: c.PBScaleRange, Form: c.PBForm, Clip: c.Clip, LogVarRange: c.LogVarRange,
	}
	return pf, pb
}

// checkPolicies returns an error for settings that would say nothing.
func (c Config) checkPolicies() error {
	switch {
	case c.LearnPB == FixedBridge && c.LRPB != 0:
		return fmt.Errorf("train: lr-pb is %v, but the backward policy is the fixed bridge; set learn-pb too", c.LRPB)
	case c.LearnPB == FixedBridge && c.PBForm != diffusion.Additive:
		return fmt.Errorf("train: pb-form is %v, but the backward policy is the fixed bridge; set learn-pb too", c.PBForm)
	case !positive(c.LogVarRange):
		return fmt.Errorf("train: log-var-range is %v; want a positive number", c.LogVarRange)
	case !positive(c.LRPB) && c.LRPB != 0:
		return fmt.Errorf("train: lr-pb is %v; want a positive number, or 0 for that of lr", c.LRPB)
	case c.Exploration == 0 && c.ExplorationDecay != "" && c.ExplorationDecay != "constant":
		return fmt.Errorf("train: exploration-decay is %q, but there is no exploration; set exploration-std too", c.ExplorationDecay)
	}
	_, err := c.ExplorationDecay.Schedule(c.Steps)
	return err
}
