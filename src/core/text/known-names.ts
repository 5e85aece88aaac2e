/** Finds the short names in a sentence that a reader cannot know, such as `STOP` where the sentence that explains it is left out. */

/** Short forms that readers of papers know. */
const COMMON = new Set(
  (
    'AI ML DL RL NLP CV LLM VLM MLLM LVLM LMM SLM LRM VLA VQA QA RAG GUI CLI API SDK GPU CPU TPU NPU RAM CNN RNN LSTM GAN VAE MLP ' +
    'KV SFT RLHF RLVR RLAIF PPO DPO GRPO SOTA OOD IID ID AUC ROC AUROC FLOP GFLOP TFLOP PSNR SSIM FID FVD LPIPS BLEU ROUGE CER WER MSE MAE RMSE ' +
    'RGB HDR SLAM BEV CLIP BERT GPT ASR TTS OCR PDF HTML SQL JSON UI UX IDE CT MRI PET EEG ECG EHR ' +
    'AR VR MDP DAG IoT GB MB TB DNA RNA ODE SDE PDE SGD STEM US USA EU UK MIT CUDA MMLU GPQA AIME MATH COCO LIBERO SWE'
  ).split(' '),
)
/** "on AIME", "than GRPO": a benchmark or a rival is told by its place. */
const NAME =
  /(?<!\b(?:on|across|than|over|versus|vs|benchmarks?|like|including|and|baselines?) )(?<![\p{L}\p{N}(/+-])\p{Lu}{2,}s?(?:-\p{Ll})?(?![\p{L}\p{N}-]| \()/gu

/** "We introduce MEDS, a …", "named STOP": the sentence itself says what it is. */
const INTRODUCED =
  /(?<!\b(?:[Tt]he|[Oo]ur) )\b(?:propos|introduc|present|develop|releas|build|nam|call|dubb?|term)(?:e|es|ed|ing|s)? (\p{Lu}{2,})(?![\p{L}\p{N}-])|\b(\p{Lu}{2,}),? (?:is )?(?:an?|the) /gu

/** Whether a short name is made of the first letters of neighbouring words of a text: `OPD` of "On-Policy Distillation". */
const abbreviates = (name: string, text: string): boolean =>
  [/[\p{L}\p{N}]+/gu, /[\p{L}\p{N}-]+/gu].some((word) =>
    (text.match(word) ?? [])
      .map((one) => one.charAt(0))
      .join('')
      .toUpperCase()
      .includes(name),
  )

/** The different short names, all of capitals, that stand in `text` unexplained, and neither in `known` nor made of its words. */
export const unknownNames = (text: string, known: string): string[] => {
  const introduced = [...text.matchAll(INTRODUCED)].map(([, one, other]) => one ?? other)
  const names = new Set((text.match(NAME) ?? []).map((name) => name.replace(/s$/, '')))
  return [...names].filter(
    (name) => !COMMON.has(name) && !introduced.includes(name) && !known.includes(name) && !abbreviates(name, known),
  )
}
