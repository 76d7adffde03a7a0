#!/usr/bin/env python3
"""Word error rate of a Whisper checkpoint: a sweep's evaluation command.

    evaluate: {command: "python3 whisper.py {checkpoint} --data dev.tsv --out {result}", metric: wer}

--data is a table with tabs between its columns and their names in its first line: `audio` (or `path`: a file, from the
table's folder or the `clips` beside it), `text` (or `sentence`), `language` (or `locale`), `id`; a table of Common Voice serves as it
is. The checkpoint is decoded by transformers and torch. Where another program has decoded it, --hypotheses FILE (`id`, a tab, the text; one line
an utterance) is scored instead, and nothing but Python is needed.

The answer, rates as shares (0.12 is 12 %):
    wer, wer_low, wer_high  errors over words of all utterances, normalised; 95 % bootstrap interval, by utterance within each language
    wer_raw, cer            the same of the texts as they are; character error rate, normalised
    wer_mean, wer_worst     mean of the languages, the worst of them
    languages.ca.wer        the same of each language, with wer_low, wer_high, wer_raw and cer
    n, items, signature     utterances; {id, errors, words} of each; what must agree where rates are compared
Languages written without spaces (Burmese, Chinese, Dzongkha, Japanese, Khmer, Lao, Thai, Tibetan) have no words to count: their wer
and wer_raw count characters.

An utterance whose reference is empty adds no word, and every word heard there is an error.

Exit codes: 0; 75 what may pass when tried again (memory of a shared GPU, a file system that hiccups); 2 anything else, in one line.
"""
import argparse
import csv
import errno
import hashlib
import json
import math
import os
import random
import re
import subprocess
import sys
import unicodedata
import wave

RATE = 16000
LONGEST_S = 30
UNSPACED = {"bo", "dz", "ja", "km", "lo", "my", "th", "yue", "zh", "cmn", "wuu", "nan"}
PASSING = {errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.EIO, errno.ENETDOWN, errno.ENETUNREACH, errno.ENOMEM, errno.ESTALE,
           errno.ETIMEDOUT}
COLUMNS = {"audio": ("audio", "path"), "text": ("text", "sentence"), "language": ("language", "locale"), "id": ("id",)}
METRICS = ("wer", "wer_raw", "cer")


class Fault(Exception):
    """What the user can put right, in one line."""


# ---------------------------------------------------------------- tables
def lines_of(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        try:
            return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        except UnicodeDecodeError as error:
            raise Fault(f"{path}: not UTF-8: {error}") from None


def read_manifest(path, language):
    """[{id, audio, text, language}]; audio is None where the table names none."""
    head, *lines = lines_of(path) or [[]]
    at = {key: next((head.index(name) for name in names if name in head), None) for key, names in COLUMNS.items()}
    if at["text"] is None:
        raise Fault(f"{path}:1: no column 'text' or 'sentence' (tabs between columns, names in the first line)")
    rows, seen = [], set()
    for number, line in enumerate(lines, 2):
        if not any(line):
            continue
        if len(line) != len(head):
            raise Fault(f"{path}:{number}: {len(line)} columns, expected {len(head)}")
        cell = {key: None if place is None else line[place] for key, place in at.items()}
        row = {**cell, "id": cell["id"] or cell["audio"] or str(number - 2), "language": cell["language"] or language or "und"}
        if row["id"] in seen:
            raise Fault(f"{path}:{number}: a second utterance '{row['id']}'")
        seen.add(row["id"])
        rows.append(row)
    if not rows:
        raise Fault(f"{path}: no utterance")
    return rows


def read_hypotheses(paths, rows):
    """{id: text} of files with `id`, a tab and the text in each line."""
    known, heard = {row["id"] for row in rows}, {}
    for path in paths:
        for number, line in enumerate(lines_of(path), 1):
            if not line or (number == 1 and line == ["id", "text"]):
                continue
            name, text = line[0], " ".join(line[1:])
            if name not in known or name in heard:
                raise Fault(f"{path}:{number}: {'a second text of' if name in heard else 'the data has no utterance'} '{name}'")
            heard[name] = text
    return heard


def first_of_each_language(rows, limit, share):
    """Of each language the first `limit` (0: all), and of those the first `share`, at least one."""
    groups = {}
    for row in rows:
        groups.setdefault(row["language"], []).append(row)
    wanted = {}
    for language, group in groups.items():
        most = min(limit, len(group)) if limit else len(group)
        wanted[language] = group[:max(1, math.ceil(share * most - 1e-9))]
    chosen = {row["id"] for group in wanted.values() for row in group}
    return [row for row in rows if row["id"] in chosen]


# ---------------------------------------------------------------- texts
def code_of(language):
    """ca of ca, ca-ES and ca_es."""
    return re.split("[-_]", language.lower())[0]


def basic(text):
    """Whisper's rules for all languages (lower case, no bracketed remarks, punctuation and symbols as spaces), but marks stay:
    without them the words of Hindi or Thai would fall to pieces."""
    text = re.sub(r"[<\[][^>\]]*[>\]]", "", text.lower())
    text = unicodedata.normalize("NFKC", re.sub(r"\(([^)]+?)\)", "", text))
    return " ".join("".join(" " if unicodedata.category(c)[0] in "SP" else c for c in text).lower().split())


def whisper_normalisers(folders):
    """Whisper's own for English and for all else, and how many English spellings they unify; None without transformers."""
    try:
        from transformers.models.whisper.english_normalizer import BasicTextNormalizer, EnglishTextNormalizer
    except ImportError:
        return None
    spellings = {}
    for folder in filter(None, folders):
        if os.path.exists(os.path.join(folder, "normalizer.json")):
            with open(os.path.join(folder, "normalizer.json"), encoding="utf-8") as file:
                spellings = json.load(file)
            break
    return EnglishTextNormalizer(spellings), BasicTextNormalizer(), len(spellings)


def normaliser(args, codes):
    """(function of text and language code, its name in the signature)."""
    if args.normaliser == "none":
        return (lambda text, code: text), "none"
    whisper = None
    if args.normaliser == "whisper" or (args.normaliser == "auto" and "en" in codes):
        whisper = whisper_normalisers((args.checkpoint, args.processor))
    if whisper is None and args.normaliser == "whisper":
        raise Fault("--normaliser whisper needs transformers: pip install transformers, or take basic")
    if whisper is None:
        return (lambda text, code: basic(text)), "basic"
    english, other, spellings = whisper
    rest = other if args.normaliser == "whisper" else basic
    return (lambda text, code: english(text) if code == "en" else rest(text)), \
        f"whisper-english ({spellings} spellings), {'whisper-basic' if rest is other else 'basic'}"


# ---------------------------------------------------------------- counting
def edits(reference, hypothesis):
    """Fewest insertions, deletions and substitutions that make one of the other."""
    row = list(range(len(hypothesis) + 1))
    for i, wanted in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, heard in enumerate(hypothesis, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (wanted != heard))
    return row[-1]


def characters(text):
    return list("".join(text.split()))


def count(reference, hypothesis, code, normalise):
    """{metric: (errors, units)} of one utterance."""
    words = characters if code in UNSPACED else str.split
    letters = characters if code in UNSPACED else lambda text: list(" ".join(text.split()))
    clean, heard = normalise(reference, code), normalise(hypothesis, code)
    pairs = {"wer": (words(clean), words(heard)), "wer_raw": (words(reference), words(hypothesis)), "cer": (letters(clean), letters(heard))}
    return {name: (edits(*pair), len(pair[0])) for name, pair in pairs.items()}


def rate(pairs, what):
    errors, units = (sum(values) for values in zip(*pairs))
    if not units and errors:
        raise Fault(f"{what}: the references hold no word")
    return errors / units if units else 0.0


def resample(pairs, seed, times):
    """`times` sums of errors and words of as many utterances, drawn with replacement: the same ones for every checkpoint."""
    draw = random.Random(seed)
    return [tuple(map(sum, zip(*draw.choices(pairs, k=len(pairs))))) for _ in range(times)]


def interval(sums):
    """The middle 95 % of the rates."""
    rates = sorted(errors / words for errors, words in sums if words)
    edge = len(rates) // 40
    return {"wer_low": rates[edge], "wer_high": rates[-1 - edge]} if rates else {}


def answer(rows, heard, normalise, options):
    """All of the JSON but its signature."""
    groups, items = {}, []
    for row in rows:
        if row["id"] not in heard:
            raise Fault(f"no text was heard of '{row['id']}'")
        code = "en" if options.task == "translate" else code_of(row["language"])
        counts = count(row["text"], heard[row["id"]], code, normalise)
        groups.setdefault(row["language"], []).append(counts)
        errors, words = counts["wer"]
        items.append({"id": row["id"], "language": row["language"], "errors": errors, "words": words})
    languages, totals = {}, None
    for language, counts in sorted(groups.items()):
        sums = resample([c["wer"] for c in counts], f"{options.seed} {language}", options.resamples)
        totals = [(e + f, w + v) for (e, w), (f, v) in zip(totals, sums)] if totals else sums
        languages[language] = {**{m: rate([c[m] for c in counts], language) for m in METRICS}, **interval(sums)}
    every = [c for counts in groups.values() for c in counts]
    rates = [language["wer"] for language in languages.values()]
    return {**{m: rate([c[m] for c in every], "data") for m in METRICS}, **interval(totals), "wer_mean": sum(rates) / len(rates),
            "wer_worst": max(rates), "languages": languages, "n": len(rows), "items": items}


# ---------------------------------------------------------------- decoding
def samples(path):
    """float32 at 16 kHz, one channel. Other files than such 16-bit WAV go through ffmpeg."""
    import numpy
    data = None
    with open(path, "rb") as file:
        try:
            with wave.open(file) as sound:
                if (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (RATE, 1, 2):
                    data = sound.readframes(sound.getnframes())
        except (wave.Error, EOFError):
            pass
    if data is None:
        command = ["ffmpeg", "-v", "error", "-i", path, "-f", "s16le", "-ac", "1", "-ar", str(RATE), "-"]
        try:
            done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
        except FileNotFoundError:
            raise Fault(f"{path}: no 16-bit WAV of one channel at 16 kHz, and there is no ffmpeg to make one") from None
        if done.returncode:
            raise Fault(f"{path}: {first_line(done.stderr.decode(errors='replace'))}")
        data = done.stdout
    if len(data) > 2 * RATE * LONGEST_S:
        raise Fault(f"{path}: {len(data) / 2 / RATE:.0f} s, expected at most {LONGEST_S} s; cut it, or decode it elsewhere "
                    "and take --hypotheses")
    return numpy.frombuffer(data, numpy.int16).astype(numpy.float32) / 32768


def place_of(folder, audio):
    """Beside the table, else in the `clips` of Common Voice."""
    beside, clip = os.path.join(folder, audio), os.path.join(folder, "clips", audio)
    return clip if not os.path.exists(beside) and os.path.exists(clip) else beside


def load(args):
    """(model, feature extractor, tokenizer, device, dtype)."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder or ".") != here]  # this file is no package `whisper`
    try:
        import torch
        import transformers
    except ImportError as error:
        raise Fault(f"decoding needs transformers and torch ({error}); install them, or give --hypotheses") from None
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    if not os.path.exists(os.path.join(args.checkpoint, "config.json")):
        raise Fault(f"{args.checkpoint}: no config.json, expected a Hugging Face folder (the sweep's `format: hf`)")
    device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")
    dtype = args.dtype or ("float16" if device.startswith("cuda") else "float32")
    model = transformers.WhisperForConditionalGeneration.from_pretrained(args.checkpoint).to(device, getattr(torch, dtype)).eval()
    folder = args.processor or args.checkpoint
    if args.processor and os.path.exists(os.path.join(folder, "generation_config.json")):
        model.generation_config = transformers.GenerationConfig.from_pretrained(folder)
    if not any(os.path.exists(os.path.join(folder, leaf)) for leaf in ("tokenizer.json", "vocab.json")):
        raise Fault(f"{folder}: no tokenizer; --processor FOLDER names one that has it (the base of the experts)")
    tokenizer = transformers.WhisperTokenizerFast.from_pretrained(folder)
    return model, transformers.WhisperFeatureExtractor(feature_size=model.config.num_mel_bins), tokenizer, device, dtype


def prompts(model, tokenizer, task):
    """Makes generate() know the tokens of languages and tasks, which a folder without generation_config.json does not say."""
    known, config = tokenizer.get_vocab(), model.generation_config
    config.is_multilingual = model.config.vocab_size > 51864
    config.lang_to_id = {token: number for token, number in known.items() if re.fullmatch(r"<\|[a-z]{2,3}\|>", token)}
    config.task_to_id = {name: known[f"<|{name}|>"] for name in ("transcribe", "translate")}
    config.no_timestamps_token_id = known["<|notimestamps|>"]
    config.decoder_start_token_id = known["<|startoftranscript|>"]
    config.eos_token_id = config.pad_token_id = known["<|endoftext|>"]
    return {"task": task} if config.is_multilingual else {}


def decode(args, rows, folder):
    """({id: text}, how it was done)."""
    silent = [row["id"] for row in rows if not row["audio"]]
    if silent:
        raise Fault(f"{args.data}: no audio of '{silent[0]}' (column 'audio' or 'path')")
    model, features, tokenizer, device, dtype = load(args)
    import torch
    given, heard = prompts(model, tokenizer, args.task), {}
    for language in sorted({row["language"] for row in rows}):
        mine = [row for row in rows if row["language"] == language]
        spoken = {"language": code_of(language)} if given and language != "und" else {}
        for start in range(0, len(mine), args.batch):
            part = mine[start:start + args.batch]
            clips = [samples(place_of(folder, row["audio"])) for row in part]
            mel = features(clips, sampling_rate=RATE, return_tensors="pt", return_attention_mask=True)
            sound = {"input_features": mel.input_features.to(device, model.dtype), "attention_mask": mel.attention_mask.to(device)}
            with torch.inference_mode():
                tokens = model.generate(**sound, do_sample=False, num_beams=args.beams, max_new_tokens=args.max_new_tokens,
                                        **given, **spoken)
            texts = tokenizer.batch_decode(tokens, skip_special_tokens=True)
            heard.update((row["id"], " ".join(text.split())) for row, text in zip(part, texts))
    how = f"{'greedy' if args.beams == 1 else f'{args.beams} beams'}, {args.max_new_tokens} tokens, {args.task}, {dtype}"
    return heard, how


# ---------------------------------------------------------------- the command
def first_line(error):
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def may_pass(error):
    """True of what another try may not meet again."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in PASSING) or \
        (isinstance(error, RuntimeError) and ("out of memory" in text or "busy or unavailable" in text))


def write(path, text):
    """Whole or not at all."""
    with open(f"{path}.part", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(f"{path}.part", path)


def evaluate(args):
    everything = read_manifest(args.data, args.language)
    rows = first_of_each_language(everything, args.limit, args.share)
    codes = {code_of(row["language"]) for row in rows} | ({"en"} if args.task == "translate" else set())
    normalise, named = normaliser(args, codes)
    if args.hypotheses:
        heard, how = read_hypotheses(args.hypotheses, everything), "stored texts"
    else:
        heard, how = decode(args, rows, os.path.dirname(args.data))
        if args.keep:
            write(args.keep, "".join(f"{name}\t{text}\n" for name, text in heard.items()))
    with open(args.data, "rb") as file:
        version = hashlib.sha256(file.read()).hexdigest()[:12]
    data = f"{os.path.basename(args.data)} sha256:{version}" + (f", first {args.limit} of each language" if args.limit else "") + \
        (f", share {args.share:g}" if args.share < 1 else "")
    found = answer(rows, heard, normalise, args)
    return {**found, "signature": {"normaliser": named, "data": data, "decoding": how}}


def share_of(text):
    value = float(text)
    if not 0 < value <= 1:
        raise ValueError(text)
    return value


def options(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", nargs="?", help="a Hugging Face folder")
    parser.add_argument("--data", required=True, metavar="TSV", help="audio, text, language, id")
    parser.add_argument("--out", metavar="JSON", help="where the answer goes; else the last line of stdout")
    parser.add_argument("--hypotheses", nargs="+", metavar="FILE", help="score these texts: id, tab, text")
    parser.add_argument("--language", help="of a table without such a column; with neither, Whisper finds it")
    parser.add_argument("--task", default="transcribe", choices=("transcribe", "translate"))
    parser.add_argument("--normaliser", default="auto", choices=("auto", "whisper", "basic", "none"),
                        help="auto: Whisper's for English where transformers is installed, basic for all else")
    parser.add_argument("--processor", metavar="FOLDER",
                        help="tokenizer and decoding settings from this folder for all checkpoints; default: the checkpoint's own")
    point = os.environ.get("KOINE_POINT_DIR")
    parser.add_argument("--keep", metavar="FILE", default=os.path.join(point, "hypotheses.tsv") if point else None,
                        help="what was heard, for --hypotheses; default: hypotheses.tsv in a sweep's folder of the point")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="the first N utterances of each language")
    parser.add_argument("--share", type=share_of, default=os.environ.get("KOINE_SHARE") or "1", metavar="X",
                        help="the first part of each language, above 0 up to 1; default: $KOINE_SHARE (a halving search), else all")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--beams", type=int, default=1)
    parser.add_argument("--max-new-tokens", type=int, default=224)
    parser.add_argument("--device", help="cpu, cuda, cuda:1; default: cuda where there is one")
    parser.add_argument("--dtype", choices=("float32", "float16", "bfloat16"), help="default: float16 on cuda, else float32")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    parser.add_argument("--resamples", type=int, default=1000)
    args = parser.parse_args(words)
    if not args.checkpoint and not args.hypotheses:
        parser.error("a checkpoint or --hypotheses")
    return args


def main(words=None):
    args = options(words)
    try:
        found = evaluate(args)
        text = json.dumps(found, ensure_ascii=False)
        if args.out:
            write(args.out, text + "\n")
    except (Fault, OSError, RuntimeError, ValueError, MemoryError) as error:
        print(f"whisper.py: {first_line(error)}", file=sys.stderr)
        return 75 if may_pass(error) else 2
    span = f" ({100 * found['wer_low']:.2f} to {100 * found['wer_high']:.2f})" if "wer_low" in found else ""
    print(f"WER {100 * found['wer']:.2f} %{span}, {found['n']} utterances" if args.out else text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
