import type { ModelSpec } from '../../../fixtures/models/model.ts'
import { quantizationMethods } from '../../../fixtures/vllm/quantization.ts'
import { pythonValue } from '../flags/values.ts'
import type { Deployment } from './config-checks.ts'
import { type Refusal, refuse } from './refusal.ts'

/** Methods of `--quantization` that read a checkpoint of each kind. */
const READS: Record<NonNullable<ModelSpec['quantization']>, RegExp> = {
  fp8: /^(fp8|compressed-tensors|modelopt|fbgemm_fp8|humming)$/,
  awq: /^(auto_)?awq(_marlin)?$|^(moe_wna16|humming|compressed-tensors)$/,
  gptq: /^(auto_)?gptq(_marlin(_24)?)?$|^(moe_wna16|humming|compressed-tensors)$/,
  mxfp4: /^(gpt_oss_)?mxfp4$|^humming$/,
  nvfp4: /^(modelopt(_fp4)?|compressed-tensors|humming)$/,
}

/** Whether vLLM knows the method and the checkpoint is one for it. */
// follows vllm/config/model.py _verify_quantization
export function checkQuantization({ model, settings, version }: Deployment): Refusal | undefined {
  const wanted = settings.quantization.value?.toLowerCase()
  if (wanted === undefined) return
  const { by } = settings.quantization
  const { methods, deprecated, certain } = quantizationMethods(version)
  const more = { config: 'ModelConfig', uncertain: !certain }
  if (model.quantization && !READS[model.quantization].test(wanted)) {
    const message = `Quantization method specified in the model config (${model.quantization}) does not match the quantization method specified in the \`quantization\` argument (${wanted}).`
    return refuse('quantization-mismatch', by, message, { config: 'ModelConfig' })
  }
  if (!methods.includes(wanted)) {
    const message = `Unknown quantization method: ${wanted}. Must be one of ${pythonValue(methods)}.`
    return refuse('quantization-unknown', by, message, more)
  }
  if (!deprecated.includes(wanted) || settings.allowDeprecatedQuantization.value) return
  const message = `The quantization method ${wanted} is deprecated and will be removed in future versions of vLLM. To bypass, set \`--allow-deprecated-quantization\`.`
  return refuse('quantization-deprecated', by, message, more)
}

/** The kernels of `awq` and `gptq` compute in half precision, until `auto_awq` and `auto_gptq` took their names over. */
// follows vllm/config/vllm.py _get_quantization_config and get_supported_act_dtypes of the methods
export function checkQuantizationDtype({ settings, version }: Deployment): Refusal | undefined {
  const wanted = settings.quantization.value?.toLowerCase()
  if (settings.dtype.value !== 'bfloat16' || (wanted !== 'awq' && wanted !== 'gptq')) return
  const { methods, certain } = quantizationMethods(version)
  if (methods.includes(`auto_${wanted}`)) return
  const message = `torch.bfloat16 is not supported for quantization method ${wanted}. Supported dtypes: [torch.float16]`
  return refuse('quantization-dtype', settings.dtype.by, message, { config: 'VllmConfig', uncertain: !certain })
}

/** Arguments that only a checkpoint's own `quantization_config` gives to the class of a method. */
const CLASS_NEEDS: Readonly<Record<string, string>> = {
  torchao: "TorchAOConfig.__init__() missing 1 required positional argument: 'torchao_config'",
  'compressed-tensors':
    "CompressedTensorsConfig.__init__() missing 3 required positional arguments: 'target_scheme_map', 'ignore', and 'quant_format'",
  quark: "QuarkConfig.__init__() missing 1 required positional argument: 'quant_config'",
  fbgemm_fp8: "FBGEMMFp8Config.__init__() missing 2 required positional arguments: 'ignore_list' and 'input_scale_ub'",
}

/** Methods that read a quantised checkpoint do not start on one that is not. Others quantise what they load. */
// follows vllm/model_executor/model_loader/weight_utils.py get_quant_config
export function checkQuantizationConfig({ model, settings, version }: Deployment): Refusal | undefined {
  const wanted = settings.quantization.value?.toLowerCase()
  if (wanted === undefined || model.quantization) return
  const { by } = settings.quantization
  const { readsCheckpointFile, certain } = quantizationMethods(version)
  const uncertain = !certain
  if (readsCheckpointFile.includes(wanted))
    return refuse('quantization-mismatch', by, `Cannot find the config file for ${wanted}`, {
      config: 'VllmConfig',
      uncertain,
    })
  const missing = CLASS_NEEDS[wanted]
  return missing === undefined
    ? undefined
    : refuse('quantization-mismatch', by, missing, { exception: 'TypeError', uncertain })
}
