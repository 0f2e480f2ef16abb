"""Penalties that depend on the scores, by hand and against definitions written with other means."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st


torch = pytest.importorskip("torch", reason="scores are torch tensors: extra `generation`")

from hfdiv.generation.penalties import (  # noqa: E402
    Penalties,
    code_book,
    decode_step,
    exclude_top_choices,
    expert_less_amateur,
    repetition_penalty,
    subtract,
    top_n_sigma,
)
from hfdiv.generation.penalties.truncation import at_least, relative_weights  # noqa: E402


INF = math.inf


def random_scores(seed, rows=3, vocabulary=300, out=0.0, scale=3.0):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(rows, vocabulary, generator=generator) * scale - 5
    return scores.masked_fill(torch.rand(rows, vocabulary, generator=generator) < out, -INF)


def kept(scores):
    return [row.isfinite().nonzero().squeeze(1).tolist() for row in scores]


# --- Subtraction -----------------------------------------------------------------------------------------------


def test_subtract_charges_each_row_its_own():
    scores = torch.tensor([[1.0, -INF, 3.0], [4.0, 5.0, 6.0]])
    before = scores.clone()
    rows = [Penalties(np.array([2, 1]), np.array([0.5, 9.0])), Penalties(np.array([0]), np.array([-1.0]))]
    assert torch.equal(subtract(scores, rows), torch.tensor([[1.0, -INF, 2.5], [5.0, 5.0, 6.0]]))
    assert torch.equal(scores, before)


def test_subtract_nothing_is_the_same_tensor():
    scores = torch.zeros(2, 3)
    nothing = Penalties(np.empty(0, np.int64), np.empty(0))
    beyond = Penalties(np.array([3]), np.array([1.0]))  # would be the next row's first token
    assert subtract(scores, [nothing, nothing]) is scores
    assert subtract(scores, [beyond, nothing]) is scores


def test_subtract_rounds_once_in_bf16():
    scores = torch.tensor([[3.0, 100.0]], dtype=torch.bfloat16)
    result = subtract(scores, [Penalties(np.array([0]), np.array([0.1]))])
    assert result.dtype == torch.bfloat16
    assert result.tolist() == [[torch.tensor(2.9).bfloat16().item(), 100.0]]


# --- Repetition ------------------------------------------------------------------------------------------------


def test_repetition_spares_padding_and_unknown_ids():
    scores = torch.tensor([[2.0, -2.0, 2.0, -INF]])
    ids, mask = torch.tensor([[2, 0, 0, 1, 3, 99]]), torch.tensor([[False, True, True, True, True, True]])
    assert torch.equal(repetition_penalty(scores, ids, mask, 2.0), torch.tensor([[1.0, -4.0, 2.0, -INF]]))


# --- XTC -------------------------------------------------------------------------------------------------------


def xtc(probabilities, threshold=0.1, **options):
    scores = torch.tensor([probabilities]).log()
    return kept(exclude_top_choices(scores, torch.tensor([True]), threshold, **options))[0]


def test_xtc_by_hand():
    probabilities = [0.05, 0.4, 0.3, 0.15, 0.06, 0.04]
    assert xtc(probabilities) == [0, 3, 4, 5]  # 0.15 is the least likely of those that reach 0.1
    assert xtc(probabilities, 0.35) == [0, 1, 2, 3, 4, 5]  # one alone stays
    assert xtc(probabilities, 0.9) == [0, 1, 2, 3, 4, 5]
    assert xtc(probabilities, protected=[1]) == [0, 1, 2, 3, 4, 5]  # it would go
    assert xtc(probabilities, protected=[3]) == [0, 3, 4, 5]  # it would stay
    assert xtc([0.3, 0.3, 0.3, 0.1]) != xtc([0.3, 0.3, 0.3, 0.1], 0.2) == [0, 3]  # of equals, the first


def test_xtc_of_each_row_is_its_own():
    row = torch.tensor([0.05, 0.4, 0.3, 0.25]).log()
    scores = torch.stack([row, row, row.roll(1)])
    before = scores.clone()
    result = exclude_top_choices(scores, torch.tensor([False, True, True]), 0.1, protected=[1])
    assert kept(result) == [[0, 1, 2, 3], [0, 1, 2, 3], [0, 1]]  # no draw; 1 would go; 1 holds 0.05 here
    assert torch.equal(scores, before)


@given(st.integers(0, 1000), st.sampled_from([0.01, 0.1, 0.3]), st.sampled_from([0.0, 0.9]))
def test_xtc_is_the_definition(seed, threshold, out):
    scores = random_scores(seed, out=out)
    result = kept(exclude_top_choices(scores, torch.tensor([True] * 3), threshold))
    for row, left in zip(scores.double().softmax(dim=-1).tolist(), result, strict=True):
        likely = sorted((p, token) for token, p in enumerate(row) if p >= threshold)
        gone = {token for _, token in likely[1:]}
        assert left == [token for token, p in enumerate(row) if p > 0 and token not in gone]


# --- Top-n-sigma -----------------------------------------------------------------------------------------------


def test_top_n_sigma_by_hand():
    # Mean 2, deviations 2, 1, -2, -1: variance 10 / 4, sigma 1.58.
    scores = torch.tensor([[4.0, 3.0, 0.0, 1.0]])
    assert kept(top_n_sigma(scores, 1.0)) == [[0, 1]]
    assert kept(top_n_sigma(scores, 2.0)) == [[0, 1, 3]]
    assert kept(top_n_sigma(scores, 0.1)) == [[0]]
    # What is out counts neither for the mean nor for the deviation.
    scores = torch.tensor([[4.0, -INF, 3.0, 0.0, 1.0, -INF], [4.0, 0.0, 3.0, 0.0, 1.0, 0.0]])
    assert kept(top_n_sigma(scores, 1.0)) == [[0, 2], [0, 2]]


@given(st.integers(0, 1000), st.sampled_from([0.5, 1.0, 3.0]), st.sampled_from([0.0, 0.5, 0.99]))
def test_top_n_sigma_is_numpys(seed, n, out):
    scores = random_scores(seed, vocabulary=700, out=out) + 200  # far from 0, where a sum of squares loses digits
    scores[:, 7] = 190.0
    result = kept(top_n_sigma(scores, n))
    for row, left in zip(scores.double().numpy(), result, strict=True):
        finite = row[np.isfinite(row)]
        floor = finite.max() - n * finite.std()
        on_the_edge = np.abs(row - floor) < 1e-4  # which side of it a token is on is float32's rounding
        assert set(left) ^ {*np.flatnonzero(row >= floor)} <= {*np.flatnonzero(on_the_edge)}


def test_top_n_sigma_is_the_same_at_every_temperature():
    scores = random_scores(3)
    assert kept(top_n_sigma(scores, 1.0)) == kept(top_n_sigma(scores / 4, 1.0))


# --- What they rest on -----------------------------------------------------------------------------------------


@given(st.integers(0, 1000), st.sampled_from([1, 127, 128, 129, 300, 512]), st.floats(-8, 8))
def test_at_least_finds_all(seed, columns, floor):
    values = random_scores(seed, vocabulary=columns)
    floors = torch.tensor([[floor], [INF], [-8.0]])
    row, column = at_least(values, floors)
    expected = [tuple(pair) for pair in (values >= floors).nonzero().tolist()]
    assert sorted(zip(row.tolist(), column.tolist(), strict=True)) == expected


@given(st.integers(0, 1000), st.sampled_from([0.2, 1.0, 3.0]))
def test_relative_weights_are_a_softmax(seed, temperature):
    scores = random_scores(seed, out=0.3)
    weights = relative_weights(scores, temperature)
    expected = (scores.double() / temperature).softmax(dim=-1)
    torch.testing.assert_close((weights / weights.sum(dim=-1, keepdim=True)).double(), expected, rtol=3e-5, atol=1e-9)


# --- Contrastive decoding --------------------------------------------------------------------------------------


@given(st.integers(0, 1000), st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 0.1, 1.0]))
def test_contrastive_decoding_is_the_definition(seed, weight, plausibility):
    expert, amateur = random_scores(seed, out=0.2), random_scores(seed + 1)
    wise, naive = expert.double().log_softmax(dim=-1), amateur.double().log_softmax(dim=-1)
    plausible = wise.exp() >= plausibility * wise.exp().amax(dim=-1, keepdim=True)
    expected = (wise - weight * naive).masked_fill(~plausible | wise.isinf(), -INF)
    result = expert_less_amateur(expert, amateur, weight, plausibility)
    assert kept(result) == kept(expected)
    torch.testing.assert_close(result.double().softmax(dim=-1), expected.softmax(dim=-1), rtol=1e-4, atol=1e-7)
    exact = expert_less_amateur(wise.float(), amateur, weight, plausibility)
    torch.testing.assert_close(exact.double(), expected, rtol=1e-5, atol=1e-4)


def test_contrastive_decoding_lets_the_expert_rule_out_what_the_amateur_never_says():
    result = expert_less_amateur(torch.tensor([[0.0, -INF]]), torch.tensor([[0.0, -INF]]), 1.0, 0.0)
    assert result.tolist() == [[0.0, -INF]]


# --- Arithmetic sampling ---------------------------------------------------------------------------------------


def test_a_code_book_is_spread_evenly_from_its_offset():
    codes = code_book(4, torch.tensor([0.2, 0.9], dtype=torch.float64))
    assert codes.tolist() == pytest.approx([0.05, 0.3, 0.55, 0.8, 0.225, 0.475, 0.725, 0.975])


@given(st.integers(0, 1000), st.floats(0, 1, exclude_max=True), st.sampled_from([0.5, 1.0, 2.0]))
def test_the_token_is_where_the_code_lies(seed, code, temperature):
    scores = random_scores(seed, vocabulary=300, out=0.5)
    scores[:, 11] = 0.0
    codes = torch.full((3,), code, dtype=torch.float64)
    tokens, new, probabilities = decode_step(scores, codes, temperature)
    for row in range(3):
        p = (scores[row].double() / temperature).softmax(dim=-1)
        upper = p.cumsum(dim=-1)
        token = int(tokens[row])
        assert p[token] > 0
        assert upper[token] - p[token] - 1e-6 <= code <= upper[token] + 1e-6
        assert probabilities[row].item() == pytest.approx(p[token].item(), rel=1e-5)
        expected = (code - (upper[token] - p[token])) / p[token]
        assert new[row].item() == pytest.approx(expected.item(), abs=1e-6 / p[token].item() + 1e-9)
        assert 0 <= new[row].item() < 1


def test_the_last_code_never_takes_a_token_that_is_out():
    scores = torch.full((1, 300), -INF)
    scores[0, [3, 150]] = 0.0
    token, code, _ = decode_step(scores, torch.tensor([math.nextafter(1.0, 0.0)], dtype=torch.float64))
    assert token.item() == 150
    assert code.item() < 1


def test_many_codes_give_the_distribution():
    scores = random_scores(5, rows=1, vocabulary=20, scale=1.0)
    codes = code_book(10_000, torch.tensor([0.5], dtype=torch.float64))
    tokens, _, _ = decode_step(scores.expand(10_000, -1), codes)
    frequencies = torch.bincount(tokens, minlength=20) / 10_000
    torch.testing.assert_close(frequencies, scores[0].softmax(dim=-1), atol=1.1e-4, rtol=0)
