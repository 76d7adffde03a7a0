"""Contents of a sweep's results.json, made up: figures follow a formula, so that a test can work out what a page has to show."""
import math

LANGUAGES = ("ca", "de", "es", "fr", "it", "pt", "nl", "pl")
EVIL = "</script><script>document.documentElement.dataset.evil='1'</script><!--<img src=x onerror=\"dataset.evil='1'\">\u2028'&"


def wer(kept, density, scale):
    """Best near scale 0.25; a little noise that depends on the point alone."""
    noise = 0.004 * math.sin(1000 * (kept + 3.1 * density + 7.3 * scale))
    return 0.14 + 1.2 * (scale - 0.22 - 0.05 * density) ** 2 + 0.02 * math.exp(-kept / 6) + 0.03 * math.exp(-8 * density) + noise


def point(number, settings, metrics, statistics):
    recipe = "merge_method: lors\nbase_model: whisper-base\nparameters:\n" + "".join(f"  {k}: {v}\n" for k, v in settings.items())
    return {"point": number, "id": f"{number * 2654435761 % 2**48:012x}", "same_as": None, "settings": settings,
            "status": "done" if metrics else "merged", "message": "", "metrics": metrics, "statistics": statistics, "recipe": recipe}


def results(points, metric="wer", goal="min"):
    """Around points: the names that occur, the best point, no baselines."""
    names = lambda member: list(dict.fromkeys(name for p in points for name in p[member]))
    known = [p for p in points if metric in p["metrics"]]
    best = (min if goal == "min" else max)(known, key=lambda p: p["metrics"][metric])["point"] if known else None
    return {"schema": "koine-sweep-1", "version": "0.1.0", "sweep": "sweep.yaml", "recipe": "lors.yaml",
            "goal": goal, "metric": metric, "columns": names("settings"), "metrics": names("metrics"),
            "statistics": names("statistics"), "best": best, "baselines": [], "points": points}


def grid(has_metrics=True):
    """100 points: 2 failed, 1 timed out, 1 equal to another, 1 far off; base and five experts."""
    points = []
    for kept in (0, 1, 3, 7, 15):
        for density in (0.05, 0.1, 0.2, 0.4, 1.0):
            for scale in (0.1, 0.2, 0.3, 0.5):
                value = wer(kept, density, scale)
                metrics = {"wer": value, "cer": 0.4 * value,
                           **{f"languages.{name}.wer": value * (0.6 + 0.15 * i) for i, name in enumerate(LANGUAGES)}}
                statistics = {"kept_share": min(1, density + 0.004 * kept), "energy_kept": min(1, 0.3 + 0.5 * density ** 0.5 + 0.01 * kept),
                              "drift": 40 * scale, "sign_conflicts": 0.31 + 0.1 * density}
                settings = {"rank": kept, "density": density, "lambda": scale}
                points.append(point(len(points), settings, metrics if has_metrics else {}, statistics))
    if not has_metrics:
        return {**results(points), "metric": None, "goal": None}
    for number, status, message in ((13, "failed", "exit code 1: CUDA out of memory"), (57, "failed", "exit code 1: CUDA out of memory"),
                                    (88, "timed out", "no answer within 30 min")):
        points[number].update(metrics={}, status=status, message=message)
    points[99]["metrics"] = {"wer": 1.9, "cer": 1.1}
    points[96].update(metrics={}, same_as=76)
    return {**results(points), "baselines": baselines()}


def baselines():
    base = {"kind": "base", "name": "base", "status": "done",
            "metrics": {"wer": 0.31, **{f"languages.{name}.wer": 0.31 + 0.05 * i for i, name in enumerate(LANGUAGES)}}}
    experts = [{"kind": "expert", "name": f"whisper-base-{own}", "status": "done",
                "metrics": {"wer": 0.2 + 0.01 * e, **{f"languages.{name}.wer": (0.08 if name == own else 0.4) + 0.03 * i
                                                      for i, name in enumerate(LANGUAGES)}}}
               for e, own in enumerate(LANGUAGES[:5])]
    return [base, *experts]


def search(count=2000):
    """Scattered points over methods, subsets and numbers, where more is better."""
    points = []
    for i in range(count):
        settings = {"merge_method": ("lors", "svp", "ties")[i % 3], "experts": ("[ca, de]", "[ca, de, es]")[i % 2],
                    "rank": ("1%", 3, 7, 15)[i * 7 % 4], "density": round(i * 0.6180339887 % 1, 4), "lambda": round(i * 0.7548776662 % 0.6, 4)}
        kept = 5 if settings["rank"] == "1%" else settings["rank"]
        bleu = 60 - 100 * wer(kept, settings["density"], settings["lambda"])
        points.append(point(i, settings, {"bleu": bleu}, {"kept_share": settings["density"]}))
    return results(points, "bleu", "max")


def hostile():
    """The grid with names, messages and recipes that try to become markup."""
    made = grid()
    made.update(sweep=EVIL, recipe=EVIL, columns=[EVIL, *made["columns"][1:]])
    made["baselines"][0]["name"] = EVIL
    for item in made["points"]:
        item["settings"] = {EVIL if name == "rank" else name: value for name, value in item["settings"].items()}
    made["points"][13].update(message=EVIL, recipe=EVIL)
    return made


def failed():
    made = grid()
    for item in made["points"]:
        item.update(metrics={}, statistics={}, status="failed", message=f"exit code {item['point'] % 7}")
    return {**made, "best": None, "metrics": [], "statistics": []}
