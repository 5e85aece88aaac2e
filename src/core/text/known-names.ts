/** Counts the short names in a sentence that a reader cannot know, such as `STOP` where the sentence that explains it is left out. */

/** Short forms that readers of papers know. */
const COMMON = new Set(
  (
    'AI ML DL RL NLP CV LLM VLM MLLM LVLM LMM SLM LRM VLA VQA QA RAG GUI CLI API SDK GPU CPU TPU NPU RAM CNN RNN LSTM GAN VAE MLP ' +
    'KV SFT RLHF RLVR RLAIF PPO DPO GRPO SOTA OOD IID ID AUC ROC AUROC FLOP GFLOP TFLOP PSNR SSIM FID FVD LPIPS BLEU ROUGE CER WER MSE MAE RMSE ' +
    'RGB HDR SLAM BEV CLIP BERT GPT ASR TTS OCR PDF HTML SQL JSON UI UX IDE CT MRI PET EEG ECG EHR ' +
    'DNA RNA ODE SDE PDE SGD STEM US USA EU UK MIT CUDA MMLU GPQA AIME MATH COCO LIBERO SWE'
  ).split(' '),
)
/** "on AIME", "than GRPO": a benchmark or a rival is told by its place. */
const NAME =
  /(?<!\b(?:on|across|than|over|versus|vs|benchmarks?|like|including|and|baselines?) )(?<![\p{L}\p{N}(/+-])\p{Lu}{2,}s?(?![\p{L}\p{N}-]| \()/gu

/** How many different short names, all of capitals, stand in `text` unexplained and not in `known`. */
export const unknownNames = (text: string, known: string): number => {
  const names = new Set((text.match(NAME) ?? []).map((name) => name.replace(/s$/, '')))
  return [...names].filter((name) => !COMMON.has(name) && !known.includes(name)).length
}
