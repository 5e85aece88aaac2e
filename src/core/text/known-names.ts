/** Finds the names in a sentence that a reader cannot know, such as `STOP` where the sentence that explains it is left out. */

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

/** Names with capitals inside that readers of papers know, by how they begin. */
const COMMON_COINED =
  /^(?:(?:Chat)?GPT|Qwen|L?L[Ll]a(?:MA|VA)|Llama|TinyL|DeepSeek|Gemini|OpenAI|OpenClaw|Claude|InternVL|OLM[oO]|RoBERTa|ResNet|ImageNet|PyTorch|GitHub|HuggingFace|ViT|LoRA|QLoRA|MoE|CoT|ReAct|AlphaFold|HumanEval|WebArena|OSWorld|AndroidWorld|PubMed|YouTube|MuJoCo|AdamW|RoPE|FlashAttention|DINO|MeanFlow|TypeScript|JavaScript|LaTeX|U-Net|Chain-of-|Tree-of-|Mixture-of-|State-of-|Best-of-|Human-in-)/u
/** With a capital inside, or parts of which the first and the last have one: `PandaBench`, `File-as-Bus`. */
const IS_COINED = /\p{Ll}-?\d*\p{Lu}|\p{Lu}{2,}\p{Ll}{2,}|^\p{Lu}\p{Ll}+-\p{Ll}+-\p{Lu}/u
const COINED = '(\\p{Lu}[\\p{L}\\p{N}.+²³-]*[\\p{L}\\p{N}])'
/**
 * Where the sentence speaks of it: as its subject, at the beginning or after "that", or after an opening and before a verb; or as
 * what is done with it, "training on PandaSet helps".
 */
const SUBJECTS = [
  new RegExp(
    `(?:^|[:;] |\\bthat )(?!(?:[Ee]valuat|[Tt]est|[Bb]enchmark)ing)[\\p{L}-]+ing (?:[^,.;]{0,40}? )??(?:on|with|from) ${COINED}(?= \\p{Ll})`,
    'gu',
  ),
  new RegExp(`(?:^|[:;] |\\bthat )(?:[Tt]he |[Oo]ur )?${COINED}(?= \\p{Ll})`, 'gu'),
  new RegExp(
    `, (?:the |our )?${COINED}(?= (?:\\p{Ll}+ly )?(?!across\\b|as\\b|plus\\b|versus\\b|vs\\b)\\p{Ll}+(?:s|ed)\\b)`,
    'gu',
  ),
]
/** "38% Exec@3": a measure that the paper made itself. */
const MEASURE =
  /(?<![\p{L}\p{N}])(?!(?:[Pp]ass|Recall|Precision|Hits?|N?DCG|nDCG|Top|MRR|MAP|m?AP|Acc|Maj|Best|Avg|Mean|HR|IoU|PCK|[PRF]1?)@)(\p{Lu}\p{L}*)@\d/gu

const lettersOf = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/[^\p{L}\p{N}]/gu, '')
    .toLowerCase()
/** Of `UI-Copilot-7B`, which may be of a known `UI-Copilot`, all but its last part; and its first part, as of `FoldNet-Bench`. */
const headsOf = (name: string): string[] => [name.replace(/-[^-]+$/, ''), name.replace(/-.*$/, '')]

/**
 * Whether a sentence speaks of something, or measures it, by a name that was coined for it and stands neither in `known`, the
 * text before it, nor is explained beside it: "PandaBench is hard", and not "… on PandaBench".
 */
export const speaksOfUnknown = (text: string, known: string): boolean => {
  const letters = lettersOf(known)
  const words = new Set(known.split(/[^\p{L}\p{N}²³]+/u).map(lettersOf))
  const isKnown = (name: string): boolean =>
    letters.includes(lettersOf(name)) ||
    headsOf(name).some((head) =>
      IS_COINED.test(head) ? letters.includes(lettersOf(head)) : words.has(lettersOf(head)),
    )
  const subjects = SUBJECTS.flatMap((place) => [...text.matchAll(place)].map(([, name = '']) => name))
  return (
    subjects.some((name) => IS_COINED.test(name) && !COMMON_COINED.test(name) && !isKnown(name)) ||
    [...text.matchAll(MEASURE)].some(([, name = '']) => !known.includes(`${name}@`))
  )
}
