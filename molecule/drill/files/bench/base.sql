CREATE SCHEMA audit;
CREATE TYPE public.severity AS ENUM ('minor', 'major', '重大');
CREATE TABLE public.people (
  id serial PRIMARY KEY, name text NOT NULL, note text, level public.severity NOT NULL DEFAULT 'minor', born date);
CREATE INDEX people_note ON public.people (note);
CREATE TABLE public.letters (id int PRIMARY KEY, person int NOT NULL REFERENCES public.people (id), body text);
CREATE TABLE public.drafts (LIKE public.letters INCLUDING ALL);
CREATE TABLE audit.log (at timestamptz NOT NULL, what text);
CREATE TABLE public.empty (id int);
CREATE VIEW public.titles AS SELECT id, name FROM public.people;
CREATE FUNCTION public.greeting(who text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'hello ' || who $$;
INSERT INTO public.people (name, note, level, born)
  SELECT '利用者 ' || n, 'note of person ' || n || ' ' || md5(n::text), 'major', '1970-01-01'::date + n
    FROM generate_series(1, 3000) n;
INSERT INTO public.letters SELECT n, n, 'letter ' || n FROM generate_series(1, 200) n;
INSERT INTO public.drafts SELECT n, n, 'draft ' || n FROM generate_series(1, 200) n;
INSERT INTO audit.log SELECT '2026-01-01'::timestamptz + n * interval '1 minute', 'e' || n % 3
  FROM generate_series(1, 900) n;
SELECT lo_from_bytea(777001, decode(repeat('cafe', 1000), 'hex'));
